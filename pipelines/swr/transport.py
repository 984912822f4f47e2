"""HTTP: paced, retried, counted; every failure becomes one of our errors.

Knows HTTP and nothing of SWR's paths or shapes (`client`), nor of who is asking (`auth`).
"""

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.client import HTTPException
from types import TracebackType
from typing import Literal, NamedTuple, Self, TypeVar

import requests
import stamina
import stamina.instrumentation
from urllib3.exceptions import HTTPError

from pipelines.errors import SwrAnswerTooLarge, SwrError, SwrUnauthenticated, SwrUnavailable
from pipelines.settings import Settings
from pipelines.swr.deadline import DeadlineAdapter, grant
from pipelines.swr.large_answers import LargeAnswers
from pipelines.swr.network import Proxies, certificates, reason_of
from pipelines.swr.pacing import Pacer, SharedSlots
from pipelines.swr.responses import (
    LONGEST_RETRY_AFTER,
    Response,
    describe_request,
    error_from,
    sent_at,
)

T = TypeVar("T")
# The rates of the settings: of SWR's own API, and of manifests from the registry.
Pace = Literal["requests", "pulls"]
# Yields the request to send, signed; is sent the response; ends when that is final.
AuthFlow = Generator[requests.PreparedRequest, Response, None]


class Patience(NamedTuple):
    """How often something is tried, for how long an answer and before another attempt is waited."""

    attempts: int
    seconds: float
    longest_wait: float


# Waits of 0.5, 1, 2, 4, 8, 16 seconds and up to one more of jitter each.
PATIENT = Patience(7, float("inf"), LONGEST_RETRY_AFTER)
# A mistyped address should be told in seconds.
FIRST_CONTACT = Patience(3, 8.0, 2.0)
_WAIT_INITIAL = 0.5
_WAIT_MAXIMUM = 30.0
_TOO_MANY_REQUESTS = 429
_MB = 2**20
# Larger than the usual page, so that it comes as one.
_PIECE_BYTES = _MB
# All answers that arrive at the same time, but for one that is large.
_SHARED_BYTES = 128 * _MB
# More than are on their way at a time with the usual settings.
_HIDDEN_TOKENS = 100


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


def _pacer(settings: Settings, pace: Pace) -> Pacer | None:
    rates = {"requests": settings.requests_per_second, "pulls": settings.pulls_per_second}
    directory = settings.warehouse_dir
    slots = SharedSlots(directory / f".{pace}.pace") if directory.is_dir() else None
    return Pacer(rates[pace], slots=slots) if rates[pace] else None


class Transport:
    """Sends requests for many threads; close it when done.

    Attributes:
        counters: what it has done so far.
        clock_offset_seconds: how far the server's clock was ahead of ours when it last answered,
            to about a second; None if it never said.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        pace: Pace | None = "requests",
        is_one_login: bool = True,
        through_proxies: bool = True,
    ) -> None:
        """Prepare to send.

        Args:
            settings: timeouts, pace, proxies, certificates, secrets to hide.
            pace: which of the settings' rates holds, together with other processes that read
                into the same directory; None for any number a second.
            is_one_login: whether all requests are of one login, so that none is sent after its
                refusal.
            through_proxies: whether the environment's proxies may be on the way.
        """
        # Retries are counted here; a message for each would bury what matters.
        stamina.instrumentation.set_on_retry_hooks([])
        self.counters = Counters()
        self.clock_offset_seconds: float | None = None
        self._local = threading.local()
        self._timeout = settings.timeout_seconds
        self._is_one_login = is_one_login
        self._pacer = _pacer(settings, pace) if pace else None
        # A session would read the environment, keep cookies and follow redirects: twice the work.
        self._adapter = DeadlineAdapter(pool_maxsize=settings.concurrency)
        self._proxies = Proxies() if through_proxies else None
        self._verify = certificates(settings.ca_bundle)
        self._secrets = set(settings.secrets)
        self._tokens: deque[str] = deque(maxlen=_HIDDEN_TOKENS)
        self._refusal: Response | None = None
        self._largest_mb = settings.max_answer_mb
        self._large = LargeAnswers(_SHARED_BYTES // settings.concurrency)

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

    def hide(self, secret: str) -> None:
        """Never quote an answer that repeats this."""
        self._secrets.add(secret)

    def hide_token(self, token: str) -> None:
        """Quote no answer that repeats this one of many tokens, until so many newer are hidden.

        An answer is held against each secret. There is a token for each repository, none lives
        long, and the one that a request carries is never quoted in its answer.
        """
        self._tokens.append(token)

    @contextmanager
    def job(self) -> Iterator[Counters]:
        """Give counters of what the calling thread does meanwhile, one answer after the other."""
        counters = self._local.counters = Counters(parent=self.counters)
        try:
            yield counters
        finally:
            del self._local.counters
            self._large.release()

    def fetch(
        self,
        request: requests.PreparedRequest,
        flow: Callable[[requests.PreparedRequest], AuthFlow],
        decode: Callable[[Response], T],
        *,
        patience: Patience = PATIENT,
    ) -> T:
        """Send a request until it succeeds and its answer can be decoded.

        `decode` raises UnexpectedResponse for a body that is not the API's; that is retried too.
        After credentials were refused for good nothing is sent any more: that is raised again.

        Raises:
            SwrError: it failed for good, or as often as is worth trying.
        """
        try:
            return self._fetch(request, flow, decode, patience)
        except SwrUnavailable as error:
            # What fails for want of a token was tried often enough.
            error.is_final = True
            raise
        finally:
            if self._counting is self.counters:
                self._large.release()

    def _fetch(
        self,
        request: requests.PreparedRequest,
        flow: Callable[[requests.PreparedRequest], AuthFlow],
        decode: Callable[[Response], T],
        patience: Patience,
    ) -> T:
        for attempt in stamina.retry_context(
            on=lambda error: _worth_retrying(error, patience),
            attempts=patience.attempts,
            timeout=None if patience is PATIENT else patience.seconds,
            wait_initial=_WAIT_INITIAL,
            wait_max=_WAIT_MAXIMUM,
        ):
            with attempt:
                if attempt.num > 1:
                    self._counting.add(retries=1)
                try:
                    return self._try(flow(request), decode, min(self._timeout, patience.seconds))
                except SwrError as error:
                    self._count_wait(error, attempt)
                    self._large.release()
                    raise _without_frames(error) from None
        raise AssertionError("a retry loop ends by returning or raising")

    def _try(self, flow: AuthFlow, decode: Callable[[Response], T], timeout: float) -> T:
        response = self._exchange(flow, timeout)
        if response.is_success:
            return decode(response)
        error = error_from(response)
        if isinstance(error, SwrUnauthenticated) and self._is_one_login:
            self._refusal = self._refusal or response
        raise error

    def _count_wait(self, error: SwrError, attempt: stamina.Attempt) -> None:
        if error.status == _TOO_MANY_REQUESTS and not error.is_final:
            wait = error.retry_after if error.retry_after is not None else attempt.next_wait
            self._counting.add(throttled_seconds=wait)

    def _exchange(self, flow: AuthFlow, timeout: float) -> Response:
        """Send what the authentication yields until it accepts the response."""
        response = self._send(next(flow), timeout)
        try:
            while True:
                response = self._send(flow.send(response), timeout)
        except StopIteration:
            return response

    @property
    def _counting(self) -> Counters:
        counters: Counters = getattr(self._local, "counters", self.counters)
        return counters

    def _send(self, request: requests.PreparedRequest, timeout: float) -> Response:
        self._large.release()
        if self._pacer:
            self._pacer.wait()
        if self._refusal:
            raise error_from(self._refusal)
        self._counting.add(requests=1)
        try:
            # An adapter follows no redirects: they would carry the token to another host.
            with self._adapter.send(
                request,
                stream=True,
                timeout=timeout,
                verify=self._verify,
                proxies=self._proxies.of(request.url or "") if self._proxies else {},
            ) as response:
                arrived = datetime.now(UTC)
                content = self._content(response)
        except (requests.RequestException, HTTPError, HTTPException, OSError, ValueError) as error:
            # Not every oddity of an answer becomes an error of `requests`.
            raise SwrUnavailable(reason_of(error), request=describe_request(request)) from None
        self._counting.add(size=len(content))
        secrets = (*self._secrets, *self._tokens)
        whole = Response(request, response.status_code, response.headers, content, secrets)
        if not whole.is_success:
            # Who waits for another thread's token must not keep that one waiting.
            self._large.release()
        if sent := sent_at(whole):
            self.clock_offset_seconds = (sent - arrived).total_seconds()
        return whole

    def _content(self, response: requests.Response) -> bytes:
        """The body, unpacked piece by piece, so that a small one cannot become a huge one.

        Raises:
            SwrAnswerTooLarge: it is larger than may be.
        """
        announced = response.raw.length_remaining
        if announced and announced <= _PIECE_BYTES and "Content-Encoding" not in response.headers:
            # The usual page, at once: pieces are copied three times.
            return b"".join(response.iter_content(None))
        content = bytearray()
        for piece in response.iter_content(_PIECE_BYTES):
            if len(content) + len(piece) > self._largest_mb * _MB:
                raise SwrAnswerTooLarge(
                    f"the answer is larger than {self._largest_mb} MB; see SWR_MAX_ANSWER_MB",
                    request=describe_request(response.request),
                    status=response.status_code,
                )
            grant(response, self._large.admit(len(content) + len(piece)))
            content += piece
        if not content and _is_cut_short(response):
            raise requests.exceptions.ContentDecodingError
        return bytes(content)


def prepare_request(
    method: str, url: str, headers: dict[str, str], body: bytes | None = None
) -> requests.PreparedRequest:
    """Make a request ready to be sent, except for its credentials."""
    headers = {**requests.utils.default_headers(), **headers}
    return requests.Request(method, url, headers=headers, data=body).prepare()


def _is_cut_short(response: requests.Response) -> bool:
    """Whether something packed came and its end did not: then nothing is not an empty list."""
    packed = getattr(getattr(response.raw, "_decoder", None), "_obj", None)
    return response.raw.tell() > 0 and not getattr(packed, "eof", True)


def _without_frames(error: SwrError) -> SwrError:
    """An error that keeps no answer in memory, as the frames of its traceback would."""
    error.__context__ = None
    return error.with_traceback(None)


def _worth_retrying(error: Exception, patience: Patience) -> bool | float:
    if not isinstance(error, SwrUnavailable) or error.is_final:
        return False
    if error.retry_after is None:
        return True
    return min(error.retry_after, patience.longest_wait)
