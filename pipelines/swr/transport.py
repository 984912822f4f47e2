"""HTTP: paced, retried, counted; every failure becomes one of our errors.

Knows HTTP and nothing of SWR's paths or shapes (`client`), nor of who is asking (`auth`).
"""

import ssl
import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Self, TypeVar

import requests
import stamina
import stamina.instrumentation
from urllib3.exceptions import ReadTimeoutError

from pipelines.errors import SwrUnavailable
from pipelines.settings import Settings
from pipelines.swr.deadline import DeadlineAdapter
from pipelines.swr.pacing import Pacer
from pipelines.swr.responses import Response, describe_request, error_from, sent_at

T = TypeVar("T")
# Yields the request to send, signed; is sent the response; ends when that is final.
AuthFlow = Generator[requests.PreparedRequest, Response, None]

# Waits of 0.5, 1, 2, 4, 8, 16 seconds and up to one more of jitter each.
ATTEMPTS = 7
_WAIT_INITIAL = 0.5
_WAIT_MAXIMUM = 30.0
_LONGEST_RETRY_AFTER = 300.0
_SUCCESSES = (requests.codes.ok, requests.codes.created, requests.codes.no_content)
_TOO_MANY_REQUESTS = 429
# The first that fits: the later are more general.
_REASONS = (
    (requests.exceptions.SSLError, "no safe connection; check the endpoint"),
    (requests.exceptions.ProxyError, "the proxy cannot be reached; see HTTPS_PROXY"),
    (requests.exceptions.ConnectTimeout, "no connection in time; check the endpoint"),
    (requests.exceptions.Timeout, "no whole answer in time; see SWR_TIMEOUT_SECONDS"),
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
    parent: "Counters | None" = field(default=None, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def add(
        self, *, requests: int = 0, retries: int = 0, throttled_seconds: float = 0.0, size: int = 0
    ) -> None:
        """Add to the counters and those they are part of, from any thread."""
        with self._lock:
            self.requests += requests
            self.retries += retries
            self.throttled_seconds += throttled_seconds
            self.bytes += size
        if self.parent:
            self.parent.add(
                requests=requests, retries=retries, throttled_seconds=throttled_seconds, size=size
            )


class Transport:
    """Sends requests for many threads; close it when done.

    Attributes:
        counters: what it has done so far.
        clock_offset_seconds: how far the server's clock was ahead of ours when it last answered,
            to about a second; None if it never said.
    """

    def __init__(self, settings: Settings) -> None:
        # Retries are counted here; a message for each would bury what matters.
        stamina.instrumentation.set_on_retry_hooks([])
        self.counters = Counters()
        self.clock_offset_seconds: float | None = None
        self._local = threading.local()
        self._timeout = settings.timeout_seconds
        rate = settings.requests_per_second
        self._pacer = Pacer(rate) if rate else None
        # A session would read the environment, keep cookies and follow redirects: twice the work.
        self._adapter = DeadlineAdapter(pool_maxsize=settings.concurrency)
        self._proxies = requests.utils.get_environ_proxies(settings.endpoint)
        self._verify = str(settings.ca_bundle) if settings.ca_bundle else True

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
        self._adapter.close()

    def start_counting(self) -> Counters:
        """Give counters of what the calling thread does from now on."""
        counters = self._local.counters = Counters(parent=self.counters)
        return counters

    def fetch(
        self,
        request: requests.PreparedRequest,
        flow: Callable[[requests.PreparedRequest], AuthFlow],
        decode: Callable[[Response], T],
        *,
        attempts: int = ATTEMPTS,
    ) -> T:
        """Send a request until it succeeds and its answer can be decoded.

        `decode` raises UnexpectedResponse for a body that is not the API's; that is retried too.

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
                    self._counting.add(retries=1)
                return self._try(request, flow, decode, attempt)
        raise AssertionError("a retry loop ends by returning or raising")

    def _try(
        self,
        request: requests.PreparedRequest,
        flow: Callable[[requests.PreparedRequest], AuthFlow],
        decode: Callable[[Response], T],
        attempt: stamina.Attempt,
    ) -> T:
        response = self._exchange(flow(request))
        if response.status_code in _SUCCESSES:
            return decode(response)
        error = error_from(response)
        if error.status == _TOO_MANY_REQUESTS:
            wait = error.retry_after if error.retry_after is not None else attempt.next_wait
            self._counting.add(throttled_seconds=wait)
        raise error

    def _exchange(self, flow: AuthFlow) -> Response:
        """Send what the authentication yields until it accepts the response."""
        response = self._send(next(flow))
        try:
            while True:
                response = self._send(flow.send(response))
        except StopIteration:
            return response

    @property
    def _counting(self) -> Counters:
        counters: Counters = getattr(self._local, "counters", self.counters)
        return counters

    def _send(self, request: requests.PreparedRequest) -> Response:
        if self._pacer:
            self._pacer.wait()
        self._counting.add(requests=1)
        try:
            # An adapter follows no redirects: they would carry the token to another host.
            with self._adapter.send(
                request,
                stream=True,
                timeout=self._timeout,
                verify=self._verify,
                proxies=self._proxies,
            ) as response:
                arrived = datetime.now(UTC)
                # At once: `content` would take it in pieces of 10 KB.
                content = b"".join(response.iter_content(None))
        except requests.RequestException as error:
            raise SwrUnavailable(_reason(error), request=describe_request(request)) from None
        self._counting.add(size=len(content))
        whole = Response(request, response.status_code, response.headers, content)
        if sent := sent_at(whole):
            self.clock_offset_seconds = (sent - arrived).total_seconds()
        return whole


def prepare_request(
    method: str, url: str, headers: dict[str, str], body: bytes | None = None
) -> requests.PreparedRequest:
    """Make a request ready to be sent, except for its credentials."""
    headers = {**requests.utils.default_headers(), **headers}
    return requests.Request(method, url, headers=headers, data=body).prepare()


def _worth_retrying(error: Exception) -> bool | float:
    if not isinstance(error, SwrUnavailable):
        return False
    if error.retry_after is None:
        return True
    return min(error.retry_after, _LONGEST_RETRY_AFTER)


def _reason(error: requests.RequestException) -> str:
    """Say what went wrong, without the URLs and objects that the libraries' messages hold."""
    if problem := _certificate_problem(error):
        return f"the certificate cannot be verified ({problem}); see SWR_CA_BUNDLE"
    if any(isinstance(cause, ReadTimeoutError) for cause in error.args):
        error = requests.exceptions.ReadTimeout()
    reasons = (text for kind, text in _REASONS if isinstance(error, kind))
    return next(reasons, f"the request failed ({type(error).__name__})")


def _certificate_problem(error: BaseException) -> str | None:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return cause.verify_message
        cause = cause.__cause__ or cause.__context__
    return None
