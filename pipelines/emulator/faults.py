"""Faults to try a client against: eight things that go wrong between a registry and its reader.

A fault takes each request with the response about to be sent, and returns the response to send.
`server` makes a response fail on its way as its fields say. Rarer faults belong to the tests.
"""

import random
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from pipelines.emulator.messages import (
    Request,
    Response,
    backend_error,
    backend_error_in_both_styles,
    gateway_error,
    registry_error,
)
from pipelines.emulator.pulls import namespace_pulled
from pipelines.emulator.registry import Registry

Fault = Callable[[Request, Response], Response]

_NAMESPACES = ("v2", "manage", "namespaces")


def throttled(request: Request, _: Response) -> Response:
    """Too many requests, without a word on when to come back."""
    if namespace_pulled(request):
        return registry_error(429, "TOOMANYREQUESTS", "too many requests")
    limits = "policy user over ratelimit,limit:60,time:1 minute"
    return gateway_error(429, "APIGW.0308", f"The throttling threshold has been reached: {limits}")


def failing(status: int) -> Fault:
    """An error page of whatever stands before the API."""
    body = f"<html><body><h1>{status}</h1></body></html>".encode()
    return lambda _, __: Response(status, {"Content-Type": "text/html"}, body)


def slow_body(seconds: float) -> Fault:
    """Half of the body, a while later the other half."""
    return lambda _, response: replace(response, pause_seconds=seconds)


def truncated(_: Request, response: Response) -> Response:
    """Half of the body that was announced, then the end of the connection."""
    return replace(response, truncate_at=len(response.body) // 2)


def without_total(_: Request, response: Response) -> Response:
    """No Content-Range."""
    headers = {name: text for name, text in response.headers.items() if name != "Content-Range"}
    return replace(response, headers=headers)


def page_size_refused(maximum: int) -> Fault:
    """Lists are given in pages of up to so many records; whoever asks for more is refused."""

    def fault(request: Request, response: Response) -> Response:
        if int(request.query.get("limit", "0")) <= maximum:
            return response
        problem = "Web Bad request error: param limit error"
        return backend_error(400, "4001072", problem, "Invalid parameter in filter")

    return fault


def forbidden(namespace: str) -> Fault:
    """A namespace that is listed and may not be looked into."""

    def fault(request: Request, response: Response) -> Response:
        if namespace == namespace_pulled(request):
            return registry_error(403, "DENIED", "requested access to the resource is denied")
        is_meant = namespace in {request.query.get("namespace"), _namespace(request)}
        if not is_meant:
            return response
        return backend_error_in_both_styles(403, "4030170", "Insufficient permissions")

    return fault


@dataclass
class ExpiringTokens:
    """Every token issued for a password is good for so many requests, then expired."""

    uses: int
    _used: Counter[str] = field(default_factory=Counter, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __call__(self, request: Request, response: Response) -> Response:
        """Count, and refuse what has been used up; a ready token never expires."""
        token = request.headers.get("x-auth-token", "")
        if not token.startswith("MII"):
            return response
        with self._lock:
            self._used[token] += 1
            is_expired = self._used[token] > self.uses
        return (
            gateway_error(401, "APIGW.0307", "The token must be updated.")
            if is_expired
            else response
        )


def sometimes(fault: Fault, share: float, draw: random.Random) -> Fault:
    """A fault of some requests only, drawn by chance."""
    return lambda request, response: fault(request, response) if draw.random() < share else response


def _namespace(request: Request) -> str | None:
    begins, rest = request.segments[:3], request.segments[3:]
    return rest[0] if begins == _NAMESPACES and rest else None


class FaultOption(NamedTuple):
    """A fault that the command line offers by name.

    Attributes:
        meaning: what it does, in a sentence.
        share: the share of requests it strikes where no other is given, 0 to 1.
        make: makes it for a registry, with what chance is drawn from.
    """

    meaning: str
    share: float
    make: Callable[[Registry, random.Random], Fault]


def _forbidden_namespace(registry: Registry, draw: random.Random) -> Fault:
    return forbidden(draw.choice([record["name"] for record in registry.namespace_records()]))


FAULTS: Mapping[str, FaultOption] = {
    "page-size-refused": FaultOption(
        "Pages of more than 100 records are refused.", 1, lambda *_: page_size_refused(100)
    ),
    "no-total": FaultOption("No Content-Range.", 1, lambda *_: without_total),
    "forbidden": FaultOption("One namespace may not be looked into: 403.", 1, _forbidden_namespace),
    "expiring-tokens": FaultOption(
        "A token is good for 20 requests.", 1, lambda *_: ExpiringTokens(uses=20)
    ),
    "throttled": FaultOption(
        "Too many requests, without a word on when to come back.", 0.1, lambda *_: throttled
    ),
    "error-503": FaultOption("503 and a page of HTML.", 0.1, lambda *_: failing(503)),
    "slow-body": FaultOption("A second's pause in the body.", 0.1, lambda *_: slow_body(1)),
    "truncated": FaultOption(
        "Half of the body that was announced, then the end.", 0.1, lambda *_: truncated
    ),
}


def faults_by_name(
    shares: Mapping[str, float], registry: Registry, draw: random.Random
) -> Sequence[Fault]:
    """Make the named faults of a registry, in the order of `FAULTS`.

    Args:
        shares: by name, the share of requests that is struck.
        registry: what the emulator serves.
        draw: what chance is drawn from.
    """
    return [
        sometimes(option.make(registry, draw), shares[name], draw)
        for name, option in FAULTS.items()
        if name in shares
    ]


def table_of_faults() -> str:
    """A line for each fault: its name, its share and what it does."""
    return "\n".join(f"{name:<19}{f.share:<5}{f.meaning}" for name, f in FAULTS.items())
