"""One lean HTTP session: paced, retried, counted; every failure becomes one of our errors.

Knows HTTP and nothing of SWR's paths or shapes (`client`), nor of who is asking (`auth`).
"""

import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self, TypeVar

import requests
import stamina
import stamina.instrumentation
from pyrate_limiter import Limiter, Rate
from requests.adapters import HTTPAdapter

from pipelines.errors import SwrUnavailable
from pipelines.settings import Settings
from pipelines.swr.replies import describe, error_from

T = TypeVar("T")
# Yields the request to send, signed; is sent the response; ends when that is final.
AuthFlow = Generator[requests.PreparedRequest, requests.Response, None]

# Waits of 0.5, 1, 2, 4, 8, 16 seconds and up to one more of jitter each.
ATTEMPTS = 7
_WAIT_INITIAL = 0.5
_WAIT_MAXIMUM = 30.0
_LONGEST_RETRY_AFTER = 300.0
_TOO_MANY_REQUESTS = 429
# The first that fits: the later are more general.
_REASONS = (
    (requests.exceptions.SSLError, "the certificate cannot be verified; see SWR_CA_BUNDLE"),
    (requests.exceptions.ProxyError, "the proxy cannot be reached; see HTTPS_PROXY"),
    (requests.exceptions.ConnectTimeout, "no connection in time; check the endpoint"),
    (requests.exceptions.Timeout, "no answer in time; see SWR_TIMEOUT_SECONDS"),
    (requests.exceptions.ChunkedEncodingError, "the answer broke off"),
    (requests.exceptions.ConnectionError, "cannot connect; check the endpoint and the network"),
)


@dataclass
class Counters:
    """What the session has done so far; safe to read at any time."""

    requests: int = 0
    retries: int = 0
    throttled_seconds: float = 0.0
    bytes: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def add(
        self, *, requests: int = 0, retries: int = 0, throttled_seconds: float = 0.0, size: int = 0
    ) -> None:
        """Add to the counters, from any thread."""
        with self._lock:
            self.requests += requests
            self.retries += retries
            self.throttled_seconds += throttled_seconds
            self.bytes += size


class Transport:
    """Sends requests for many threads; close it when done."""

    def __init__(self, settings: Settings) -> None:
        # Retries are counted here; a message for each would bury what matters.
        stamina.instrumentation.set_on_retry_hooks([])
        self.counters = Counters()
        self._local = threading.local()
        self._timeout = settings.timeout_seconds
        self._limiter = _limiter(settings.requests_per_second)
        self._session = requests.Session()
        # Looked up once here: with trust_env, requests reads the environment for every request.
        proxies = requests.utils.get_environ_proxies(settings.endpoint)
        self._session.trust_env = False
        self._session.proxies.update(proxies)
        self._session.verify = str(settings.ca_bundle) if settings.ca_bundle else True
        adapter = HTTPAdapter(pool_maxsize=settings.concurrency)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._session.close()
        if self._limiter:
            self._limiter.close()

    @property
    def sent_by_this_thread(self) -> int:
        """Requests the calling thread has sent, so that a repository's cost can be told."""
        sent: int = getattr(self._local, "sent", 0)
        return sent

    def fetch(
        self,
        request: requests.Request,
        flow: Callable[[requests.PreparedRequest], AuthFlow],
        decode: Callable[[requests.Response], T],
        *,
        attempts: int = ATTEMPTS,
    ) -> T:
        """Send a request until it succeeds and its answer can be decoded.

        `decode` raises UnexpectedReply for a body that is not the API's; that is retried too.

        Raises:
            SwrError: it failed for good, or as often as is worth trying.
        """
        for attempt in stamina.retry_context(
            on=_worth_retrying,
            attempts=attempts,
            timeout=None,
            wait_initial=_WAIT_INITIAL,
            wait_max=_WAIT_MAXIMUM,
        ):
            with attempt:
                if attempt.num > 1:
                    self.counters.add(retries=1)
                return self._try(request, flow, decode, attempt)
        raise AssertionError("a retry loop ends by returning or raising")

    def _try(
        self,
        request: requests.Request,
        flow: Callable[[requests.PreparedRequest], AuthFlow],
        decode: Callable[[requests.Response], T],
        attempt: stamina.Attempt,
    ) -> T:
        response = self._converse(flow(self._session.prepare_request(request)))
        if response.status_code in (requests.codes.ok, requests.codes.created):
            return decode(response)
        error = error_from(response)
        if error.status == _TOO_MANY_REQUESTS:
            wait = error.retry_after if error.retry_after is not None else attempt.next_wait
            self.counters.add(throttled_seconds=wait)
        raise error

    def _converse(self, flow: AuthFlow) -> requests.Response:
        """Send what the authentication yields until it is content with the response."""
        response = self._send(next(flow))
        try:
            while True:
                response = self._send(flow.send(response))
        except StopIteration:
            return response

    def _send(self, prepared: requests.PreparedRequest) -> requests.Response:
        if self._limiter:
            self._limiter.try_acquire("swr")
        self.counters.add(requests=1)
        self._local.sent = self.sent_by_this_thread + 1
        try:
            # Redirects are not followed: they would carry the token to another host.
            response = self._session.send(
                prepared,
                timeout=self._timeout,
                allow_redirects=False,
                verify=self._session.verify,
                proxies=self._session.proxies,
            )
        except requests.RequestException as error:
            raise SwrUnavailable(_reason(error), request=describe(prepared)) from None
        self.counters.add(size=len(response.content))
        return response


def _limiter(requests_per_second: float) -> Limiter | None:
    """Pace evenly: windows of a fifth of a second keep to the rate without bursts."""
    if not requests_per_second:
        return None
    permits = max(1, round(requests_per_second / 5))
    window_ms = max(1, round(1000 * permits / requests_per_second))
    return Limiter(Rate(permits, window_ms), buffer_ms=0)


def _worth_retrying(error: Exception) -> bool | float:
    if not isinstance(error, SwrUnavailable):
        return False
    if error.retry_after is None:
        return True
    return min(error.retry_after, _LONGEST_RETRY_AFTER)


def _reason(error: requests.RequestException) -> str:
    """Say what went wrong on the way, without repeating URLs or objects of the libraries."""
    reasons = (text for kind, text in _REASONS if isinstance(error, kind))
    return next(reasons, f"the request failed ({type(error).__name__})")
