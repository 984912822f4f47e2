"""Chooses how to authenticate by the settings that are there; the ways themselves are in `auth`."""

import os
from configparser import ConfigParser
from configparser import Error as ConfigParserError
from pathlib import Path

from pipelines.errors import SettingsError
from pipelines.settings import Settings
from pipelines.swr.auth import AccessKey, Credentials, IamUser, Token
from pipelines.swr.temporary_keys import TemporaryKeys, agency_of_machine, identity_of_pod
from pipelines.swr.transport import Transport

# Sources that users of other tools have, and what does instead.
_NOT_READ = {
    "HUAWEICLOUD_SDK_IDP_ID": "OIDC with IAM is not supported; SWR_CREDENTIALS=cce-pod is",
    "HUAWEICLOUD_SDK_ID_TOKEN_FILE": "OIDC with IAM is not supported; SWR_CREDENTIALS=cce-pod is",
}
_KOOCLI = Path("~/.hcloud/config.json")


def credentials_from(settings: Settings, transport: Transport) -> Credentials:
    """Choose the way to authenticate: the source that is named, else a ready token comes first.

    Raises:
        SettingsError: none of the ways is fully set.
    """
    match settings.credentials:
        case "ecs-agency":
            return TemporaryKeys(settings, transport, agency_of_machine)
        case "cce-pod":
            return TemporaryKeys(settings, transport, identity_of_pod(settings))
        case "file":
            return _from_file(settings, transport)
    return _from_settings(settings, transport)


def _from_settings(settings: Settings, transport: Transport) -> Credentials:
    if settings.auth_token:
        return Token(settings.auth_token.get_secret_value())
    if settings.password or settings.username:
        _require(settings, "username", "password", "domain_name")
        if not (settings.project_name or settings.region):
            raise SettingsError("These credentials also need SWR_PROJECT_NAME, or SWR_REGION.")
        return IamUser(settings, transport)
    if settings.access_key or settings.secret_key:
        _require(settings, "access_key", "secret_key")
        return AccessKey(
            settings.access_key or "",
            settings.secret_key.get_secret_value() if settings.secret_key else "",
            security_token=(
                settings.security_token.get_secret_value() if settings.security_token else None
            ),
            project_id=settings.project_id,
        )
    raise SettingsError(
        "No credentials: set SWR_AUTH_TOKEN; or SWR_USERNAME, SWR_PASSWORD, SWR_DOMAIN_NAME and"
        " SWR_PROJECT_NAME; or HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK; or SWR_CREDENTIALS to"
        f" ecs-agency, cce-pod or file.{_of_other_tools()}"
    )


def _of_other_tools() -> str:
    """Say of a source that is there that it is not read."""
    for name, advice in _NOT_READ.items():
        if os.environ.get(name):
            return f" {name}: {advice}."
    if _KOOCLI.expanduser().exists():
        return f" {_KOOCLI} is not read: its keys are encrypted."
    return ""


def _from_file(settings: Settings, transport: Transport) -> AccessKey:
    """The access key of the SDKs' credentials file.

    Raises:
        SettingsError: it cannot be read, or holds no key.
    """
    path = settings.credentials_file.expanduser()
    file = ConfigParser(interpolation=None)
    try:
        file.read_string(path.read_text())
    except OSError as error:
        raise SettingsError(f"SWR_CREDENTIALS=file: {path}: {error.strerror}") from None
    except (ConfigParserError, UnicodeDecodeError):
        # What is wrong is not quoted: it may be a part of a secret.
        raise SettingsError(f"SWR_CREDENTIALS=file: {path} is no INI file") from None
    ak, sk, token, project = (
        file.get("basic", name, fallback="")
        for name in ("ak", "sk", "security_token", "project_id")
    )
    if not ak or not sk or not (ak + sk + token + project).isprintable():
        raise SettingsError(f"SWR_CREDENTIALS=file: {path} has no section [basic] with ak and sk")
    for secret in filter(None, (sk, token)):
        transport.hide(secret)
    return AccessKey(
        ak, sk, security_token=token or None, project_id=project or settings.project_id
    )


def _require(settings: Settings, *fields: str) -> None:
    missing = [
        str(Settings.model_fields[field].validation_alias)
        for field in fields
        if getattr(settings, field) is None
    ]
    if missing:
        raise SettingsError(f"These credentials also need {' and '.join(missing)}.")
