"""Chooses how to authenticate by the settings that are there; the ways themselves are in `auth`."""

from pipelines.errors import SettingsError
from pipelines.settings import Settings
from pipelines.swr.auth import AccessKey, Credentials, IamUser, Token
from pipelines.swr.transport import Transport


def credentials_from(settings: Settings, transport: Transport) -> Credentials:
    """Choose the way to authenticate; a ready token comes first.

    Raises:
        SettingsError: none of the three ways is fully set.
    """
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
        " SWR_PROJECT_NAME; or HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK."
    )


def _require(settings: Settings, *fields: str) -> None:
    missing = [
        str(Settings.model_fields[field].validation_alias)
        for field in fields
        if getattr(settings, field) is None
    ]
    if missing:
        raise SettingsError(f"These credentials also need {' and '.join(missing)}.")
