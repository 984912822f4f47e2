"""What can go wrong between a registry and its reader, as small things to hand to the stand-in.

A fault is given each request with the reply about to be sent and gives the reply to send. What
the registry itself does meanwhile is in `unrest`, odd records in `oddities`; all are named in
`fault_table`. How a reply fails on its way is said in its fields here and done by `server`.
"""

import gzip
import random
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from pipelines.swr.slices import array_elements
from pipelines.swr.stand_in.exchange import (
    Reply,
    Request,
    backend_error,
    backend_error_in_both_styles,
    gateway_error,
)
from pipelines.swr.stand_in.identity import is_timely, stale_signature

Fault = Callable[[Request, Reply], Reply]

_NAMESPACES = ("v2", "manage", "namespaces")
_OK = 200


def throttled(_: Request, __: Reply) -> Reply:
    """Too many requests, without a word on when to come back."""
    limits = "policy user over ratelimit,limit:60,time:1 minute"
    return gateway_error(429, "APIGW.0308", f"The throttling threshold has been reached: {limits}")


def throttled_for(seconds: int) -> Fault:
    """Too many requests; come back in some seconds."""

    def fault(request: Request, reply: Reply) -> Reply:
        refused = throttled(request, reply)
        return _with_headers(refused, {"Retry-After": str(seconds)})

    return fault


def failing(status: int) -> Fault:
    """An error page of whatever stands before the API."""
    body = f"<html><body><h1>{status}</h1></body></html>".encode()
    return lambda _, __: Reply(status, {"Content-Type": "text/html"}, body)


def disguised(_: Request, __: Reply) -> Reply:
    """An error page that claims to be a success."""
    return Reply(200, {"Content-Type": "text/html"}, b"<html>Down for maintenance</html>")


def slow_first_byte(seconds: float) -> Fault:
    """Nothing for a while, then everything."""
    return lambda _, reply: replace(reply, delay_seconds=reply.delay_seconds + seconds)


def slow_body(seconds: float) -> Fault:
    """Half of the body, a while later the other half."""
    return lambda _, reply: replace(reply, pause_seconds=seconds)


def truncated(_: Request, reply: Reply) -> Reply:
    """Half of the body that was announced, then the end of the connection."""
    return replace(reply, truncate_at=len(reply.body) // 2)


def reset(_: Request, reply: Reply) -> Reply:
    """A connection reset instead of an answer."""
    return replace(reply, is_reset=True)


def broken_json(_: Request, reply: Reply) -> Reply:
    """Half of the body, announced as if it were all."""
    return replace(reply, body=reply.body[: len(reply.body) // 2])


def compressed(request: Request, reply: Reply) -> Reply:
    """A gzipped body, for those who accept one."""
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return reply
    return replace(
        _with_headers(reply, {"Content-Encoding": "gzip"}), body=gzip.compress(reply.body)
    )


def without_total(_: Request, reply: Reply) -> Reply:
    """No Content-Range."""
    headers = {name: text for name, text in reply.headers.items() if name != "Content-Range"}
    return replace(reply, headers=headers)


def garbled_total(_: Request, reply: Reply) -> Reply:
    """A Content-Range that says nothing."""
    return _with_total(reply, "many")


def total_too_high(_: Request, reply: Reply) -> Reply:
    """A Content-Range that counts one record too many."""
    total = _total(reply)
    return reply if total is None else _with_total(reply, str(total + 1))


def total_too_low(_: Request, reply: Reply) -> Reply:
    """A Content-Range whose total is less than the records it comes with."""
    offset, _slash, _rest = reply.headers.get("Content-Range", "").partition("-")
    rows = len(_parts(reply) or ())
    return _with_total(reply, str(int(offset) + rows - 1)) if offset and rows else reply


def page_size_refused(maximum: int) -> Fault:
    """Lists are given in pages of up to so many records; whoever asks for more is refused."""

    def fault(request: Request, reply: Reply) -> Reply:
        if int(request.query.get("limit", "0")) <= maximum:
            return reply
        problem = "Web Bad request error: param limit error"
        return backend_error(400, "4001072", problem, "Invalid parameter in filter")

    return fault


def page_size_clamped(maximum: int) -> Fault:
    """Lists are given in pages of up to so many records, whatever was asked for."""

    def fault(_: Request, reply: Reply) -> Reply:
        parts = _parts(reply)
        return reply if parts is None else _with_parts(reply, parts[:maximum])

    return fault


def forbidden(namespace: str) -> Fault:
    """A namespace that is listed and may not be looked into."""

    def fault(request: Request, reply: Reply) -> Reply:
        is_meant = namespace in {request.query.get("namespace"), _namespace(request)}
        if not is_meant:
            return reply
        return backend_error_in_both_styles(403, "4030170", "Insufficient permissions")

    return fault


def skewed_clock(seconds: float) -> Fault:
    """The registry's clock goes ahead by so much when it looks at signatures."""

    def fault(request: Request, reply: Reply) -> Reply:
        now = datetime.now(UTC) + timedelta(seconds=seconds)
        if "authorization" not in request.headers or is_timely(request, now):
            return reply
        return stale_signature()

    return fault


@dataclass
class ExpiringTokens:
    """Every token issued for a password is good for so many requests, then expired."""

    uses: int
    _used: Counter[str] = field(default_factory=Counter, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __call__(self, request: Request, reply: Reply) -> Reply:
        """Count, and refuse what has been used up; a ready token never expires."""
        token = request.headers.get("x-auth-token", "")
        if not token.startswith("MII"):
            return reply
        with self._lock:
            self._used[token] += 1
            is_expired = self._used[token] > self.uses
        return (
            gateway_error(401, "APIGW.0307", "The token must be updated.") if is_expired else reply
        )


def sometimes(fault: Fault, share: float, draw: random.Random) -> Fault:
    """A fault of some requests only, drawn by chance."""
    return lambda request, reply: fault(request, reply) if draw.random() < share else reply


def of_tags(fault: Fault) -> Fault:
    """A fault of pages of tags only."""
    return lambda request, reply: fault(request, reply) if repository_of(request) else reply


def altered_records(alter: Callable[[bytes], bytes]) -> Fault:
    """Pages of tags whose records are altered one by one, as JSON texts."""

    def fault(request: Request, reply: Reply) -> Reply:
        parts = _parts(reply) if repository_of(request) else None
        return reply if parts is None else _with_parts(reply, [alter(part) for part in parts])

    return fault


def repository_of(request: Request) -> tuple[str, str] | None:
    """Namespace and repository, if it is tags that are asked for."""
    match request.segments:
        case (*_, "namespaces", namespace, "repos", name, "tags"):
            return namespace, name.replace("$", "/")
    return None


def _namespace(request: Request) -> str | None:
    begins, rest = request.segments[:3], request.segments[3:]
    return rest[0] if begins == _NAMESPACES and rest else None


def _parts(reply: Reply) -> Sequence[bytes] | None:
    """The records of a list, verbatim; None if the reply is none."""
    if reply.status != _OK or not reply.body.startswith(b"["):
        return None
    return array_elements(reply.body)


def _with_parts(reply: Reply, parts: Sequence[bytes]) -> Reply:
    body = b"[" + b",".join(parts) + b"]"
    stated = reply.headers.get("Content-Range")
    if stated is None:
        return replace(reply, body=body)
    offset, total = stated.partition("-")[0], stated.partition("/")[2]
    stated = f"{offset}-{len(parts)}/{total}"
    return replace(_with_headers(reply, {"Content-Range": stated}), body=body)


def _total(reply: Reply) -> int | None:
    text = reply.headers.get("Content-Range", "").partition("/")[2]
    return int(text) if text.isdigit() else None


def _with_total(reply: Reply, total: str) -> Reply:
    stated = reply.headers.get("Content-Range")
    if stated is None:
        return reply
    return _with_headers(reply, {"Content-Range": f"{stated.partition('/')[0]}/{total}"})


def _with_headers(reply: Reply, headers: dict[str, str]) -> Reply:
    return replace(reply, headers={**reply.headers, **headers})
