"""Posts to a webhook that a run failed. A setting decides where to, never data.

What is sent is small and holds no secret: only sentences of our own errors are passed on.
"""

import msgspec
import requests
import stamina
import stamina.instrumentation
from pydantic import SecretStr

from pipelines.errors import AlertFailed

_ATTEMPTS = 4
_TIMEOUT_SECONDS = 10
_SERVER_ERROR = 500
_TOO_MANY_REQUESTS = 429


class Alert(msgspec.Struct, frozen=True):
    """What is posted, as JSON. `text` is the whole of it in words, which chat services show."""

    text: str
    job: str
    run_id: str
    error: str
    will_retry: bool


def post(url: SecretStr, alert: Alert) -> None:
    """Post an alert, a few times if need be; follows no redirect and reads no answer.

    Raises:
        AlertFailed: it was not taken. The text does not hold the URL, which may be a secret.
    """
    # What the library would log of each retry holds the URL.
    stamina.instrumentation.set_on_retry_hooks([])
    try:
        for attempt in stamina.retry_context(on=_worth_retrying, attempts=_ATTEMPTS):
            with attempt:
                _send(url, msgspec.json.encode(alert))
    except requests.RequestException as error:
        raise AlertFailed(
            f"The webhook of SWR_ALERT_WEBHOOK_URL did not take the alert ({_reason(error)}):"
            " check the setting and the network."
        ) from None


def _send(url: SecretStr, body: bytes) -> None:
    with requests.post(
        url.get_secret_value(),
        data=body,
        headers={"Content-Type": "application/json"},
        timeout=_TIMEOUT_SECONDS,
        allow_redirects=False,
        stream=True,  # whatever it answers, only the status counts
    ) as response:
        if not response.ok or response.is_redirect:
            raise requests.HTTPError(response=response)


def _worth_retrying(error: Exception) -> bool:
    """Whether the same alert may be taken later; an answer of 3xx or 4xx is final."""
    if isinstance(error, requests.HTTPError) and error.response is not None:
        status: int = error.response.status_code
        return status >= _SERVER_ERROR or status == _TOO_MANY_REQUESTS
    return isinstance(error, (requests.ConnectionError, requests.Timeout))


def _reason(error: Exception) -> str:
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"status {error.response.status_code}"
    return type(error).__name__
