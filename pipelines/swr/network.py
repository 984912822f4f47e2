"""The way to a server by the environment: proxies, certificates; and why it could not be gone.

Variables are those that administrators set for every program.
"""

import os
import ssl
from pathlib import Path

import requests
from urllib3.exceptions import ProtocolError, ReadTimeoutError

from pipelines.errors import SettingsError

_CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")
# The first that fits: the later are more general.
_REASONS = (
    (requests.exceptions.SSLError, "no safe connection; check the endpoint"),
    (requests.exceptions.ProxyError, "the proxy cannot be reached; see HTTPS_PROXY"),
    (requests.exceptions.ConnectTimeout, "no connection in time; check the endpoint"),
    (requests.exceptions.Timeout, "no whole answer in time; see SWR_TIMEOUT_SECONDS"),
    (requests.exceptions.ChunkedEncodingError, "the answer broke off"),
    (requests.exceptions.ContentDecodingError, "the answer cannot be unpacked"),
    (requests.exceptions.ConnectionError, "cannot connect; check the endpoint and the network"),
)


def certificates(bundle: Path | None) -> str | bool:
    """The file or folder of authorities to trust; True for those that come with `requests`.

    Raises:
        SettingsError: a variable names one that is not there.
    """
    if bundle is not None:
        return str(bundle)
    for variable in _CA_VARIABLES:
        # Of several folders the first that is there.
        separator = os.pathsep if variable.endswith("_DIR") else "\0"
        named = [path for path in os.environ.get(variable, "").split(separator) if path]
        found = [path for path in named if Path(path).exists()]
        if named and not found:
            raise SettingsError(f"{variable}: there is no file or folder {named[0]}")
        if found:
            return found[0]
    return True


class Proxies:
    """The proxies of the environment, chosen for each server once."""

    def __init__(self) -> None:
        self._chosen: dict[str, dict[str, str]] = {}

    def of(self, url: str) -> dict[str, str]:
        """The proxies on the way to a URL; none where NO_PROXY names its host."""
        scheme, _, rest = url.partition("://")
        server = f"{scheme}://{rest.partition('/')[0]}"
        if server not in self._chosen:
            self._chosen[server] = requests.utils.get_environ_proxies(server)
        return self._chosen[server]


def reason_of(error: Exception) -> str:
    """Say what went wrong, without the URLs and objects that the libraries' messages hold."""
    if problem := _certificate_problem(error):
        return f"the certificate cannot be verified ({problem}); see SWR_CA_BUNDLE"
    if any(isinstance(cause, ReadTimeoutError) for cause in error.args):
        error = requests.exceptions.ReadTimeout()
    if any(isinstance(cause, ProtocolError) for cause in error.args):
        return "the connection broke off, or what answered does not speak HTTP"
    reasons = (text for kind, text in _REASONS if isinstance(error, kind))
    return next(reasons, f"the request failed ({type(error).__name__})")


def _certificate_problem(error: BaseException) -> str | None:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return cause.verify_message
        cause = cause.__cause__ or cause.__context__
    return None
