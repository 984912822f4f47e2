"""Temporary access keys that a machine or a pod is given, renewed before they expire.

Only the source that is chosen is asked, so that a laptop waits for no metadata service. How IAM
users and keys of one's own are used: `auth`.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import requests

from pipelines.errors import SettingsError, SwrError, SwrUnauthenticated, UnexpectedResponse
from pipelines.settings import Settings
from pipelines.swr.auth import AccessKey
from pipelines.swr.responses import Response, describe_request
from pipelines.swr.transport import (
    FIRST_CONTACT,
    AuthFlow,
    Patience,
    Transport,
    prepare_request,
)

METADATA_SERVICE = "http://169.254.169.254"
# The session that the second version of the metadata service wants; the first knows none.
_SESSION_PATH = "/meta-data/latest/api/token"
_SESSION_SECONDS = 21_600
_SESSION_UNKNOWN = {404, 405, 503}
_KEY_PATH = "/openstack/latest/securitykey"
_ONCE = Patience(1, FIRST_CONTACT.seconds, 0.0)
_RENEW_BEFORE_EXPIRY = timedelta(minutes=10)
# A source may go on giving a key that expires soon.
_BETWEEN_QUESTIONS = timedelta(seconds=10)


class _Key(msgspec.Struct):
    access: str
    secret: str
    securitytoken: str
    expires_at: datetime


class _Answer(msgspec.Struct):
    credential: _Key


@dataclass(frozen=True)
class TemporaryKey:
    """A key as it was given, and when it ends."""

    access_key: str
    signer: AccessKey
    expires_at: datetime


# Asks a source for a key by a transport of its own.
Source = Callable[[Transport], _Key]


class TemporaryKeys:
    """Signs with a key that all threads share; one of them renews it for all.

    It is renewed when less than ten minutes are left, and when it is refused: a request is sent
    again only if the source then gives another key.
    """

    domain_id = None

    def __init__(self, settings: Settings, transport: Transport, source: Source) -> None:
        self._settings = settings
        self._transport = transport
        self._source = source
        self._lock = threading.Lock()
        self._key: TemporaryKey | None = None
        self._ask_again_at = datetime.min.replace(tzinfo=UTC)

    def flow(self, request: requests.PreparedRequest) -> AuthFlow:
        """Yield the request signed, and once more with another key after a 401."""
        key = self._usable_key(refused=None)
        response = yield key.signer.sign(request)
        if response.status_code == requests.codes.unauthorized:
            newer = self._usable_key(refused=key)
            if newer.access_key != key.access_key:
                yield newer.signer.sign(request)

    def _usable_key(self, refused: TemporaryKey | None) -> TemporaryKey:
        """The shared key, renewed if it ends soon or is the refused one."""
        with self._lock:
            key, now = self._key, datetime.now(UTC)
            if key is None or key is refused:
                return self._renew(now)
            if key.expires_at - now >= _RENEW_BEFORE_EXPIRY or now < self._ask_again_at:
                return key
            try:
                return self._renew(now)
            except SwrError:
                if now >= key.expires_at:
                    raise
                return key

    def _renew(self, now: datetime) -> TemporaryKey:
        self._ask_again_at = now + _BETWEEN_QUESTIONS
        # A proxy for the internet is not on the way to a source beside the machine.
        with Transport(
            self._settings, pace=None, is_one_login=False, through_proxies=False
        ) as transport:
            given = self._source(transport)
        self._transport.hide(given.secret)
        self._transport.hide(given.securitytoken)
        signer = AccessKey(
            given.access,
            given.secret,
            security_token=given.securitytoken,
            project_id=self._settings.project_id,
        )
        self._key = TemporaryKey(given.access, signer, given.expires_at)
        return self._key


def agency_of_machine(transport: Transport) -> _Key:
    """Ask the metadata service of an ECS for a key of the agency that is bound to it.

    Raises:
        SwrUnauthenticated: it gives none.
    """
    headers = {}
    if session := _metadata_session(transport):
        headers["X-Metadata-Token"] = session
    request = prepare_request("GET", METADATA_SERVICE + _KEY_PATH, headers)
    return _key_from(transport, request, "ecs-agency: is an agency bound to this machine?")


def identity_of_pod(settings: Settings) -> Source:
    """Ask the agent beside a CCE pod for a key; its address and token are in the environment.

    Raises:
        SettingsError: the environment names neither.
    """
    uri, token_file = settings.pod_credentials_uri, settings.pod_token_file
    if not uri or not token_file:
        raise SettingsError(
            "SWR_CREDENTIALS=cce-pod: HC_CONTAINER_CREDENTIALS_FULL_URI and"
            " HC_CONTAINER_AUTHORIZATION_TOKEN_FILE are not set: is this a pod with an identity?"
        )

    def ask(transport: Transport) -> _Key:
        request = prepare_request("POST", uri, {"Content-Type": "application/json"}, b"{}")
        try:
            request.headers["Authorization"] = _read_token(token_file)
        except ValueError as error:
            raise SwrUnauthenticated(
                f"HC_CONTAINER_AUTHORIZATION_TOKEN_FILE: {token_file}: {error}",
                request=describe_request(request),
            ) from None
        return _key_from(transport, request, "cce-pod: has this pod an identity?")

    return ask


def _read_token(path: Path) -> str:
    """The token as it is now: the file is replaced from time to time.

    Raises:
        ValueError: it cannot be read, or no header can hold it.
    """
    try:
        token = path.read_text("ascii").strip()
    except UnicodeDecodeError:
        token = ""
    except OSError as error:
        raise ValueError(error.strerror) from None
    if not token or not token.isprintable():
        raise ValueError("it holds no token")
    return token


def _metadata_session(transport: Transport) -> str | None:
    """A session's token; None where the service is of the first version."""
    headers = {"X-Metadata-Token-Ttl-Seconds": str(_SESSION_SECONDS)}
    request = prepare_request("PUT", METADATA_SERVICE + _SESSION_PATH, headers)
    try:
        return transport.fetch(request, _as_it_is, _session, patience=_ONCE)
    except SwrError as error:
        if error.status in _SESSION_UNKNOWN:
            return None
        raise _no_key(error, "ecs-agency: is this an ECS?") from None


def _session(response: Response) -> str:
    session = response.text.decode(errors="replace").strip()
    if not session.isprintable():
        raise UnexpectedResponse(
            "the metadata service's token cannot be sent",
            request=describe_request(response.request),
            status=response.status_code,
        )
    return session


def _key_from(transport: Transport, request: requests.PreparedRequest, advice: str) -> _Key:
    try:
        return transport.fetch(request, _as_it_is, _given_key, patience=FIRST_CONTACT)
    except SwrError as error:
        raise _no_key(error, advice) from None


def _no_key(error: SwrError, advice: str) -> SwrUnauthenticated:
    return SwrUnauthenticated(
        f"{error.problem}, so there is no temporary key. SWR_CREDENTIALS={advice}",
        request=error.request,
        status=error.status,
        code=error.code,
    )


def _given_key(response: Response) -> _Key:
    try:
        key = msgspec.json.decode(response.text, type=_Answer).credential
        is_whole = bool(key.access and key.secret and key.expires_at.tzinfo)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        is_whole = False
    if not is_whole:
        raise UnexpectedResponse(
            "the answer holds no key",
            request=describe_request(response.request),
            status=response.status_code,
        )
    return key


def _as_it_is(request: requests.PreparedRequest) -> AuthFlow:
    yield request
