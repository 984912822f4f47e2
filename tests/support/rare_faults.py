"""Faults of the emulator that only tests need, and the table of all of them by name.

The faults a user would try are in `pipelines.emulator.faults`; odd records in `odd_records`, a
registry that changes while it is read in `changing_registry`. The table's order is the order in
which faults take effect: first records get odd, then lists, then answers, then what carries them.
"""

import gzip
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import odd_records
from changing_registry import Moving, Vanishing
from odd_records import OddRecord
from tag_requests import repository_of

from pipelines.emulator import faults
from pipelines.emulator.faults import Fault, FaultOption, sometimes, throttled
from pipelines.emulator.iam import is_timely, stale_signature
from pipelines.emulator.messages import Request, Response
from pipelines.emulator.registry import Registry
from pipelines.swr.json_parts import array_elements

_OK = 200
_SOME_RECORDS = 0.2
_FEW_RECORDS = 0.002


def of_tags(fault: Fault) -> Fault:
    """A fault of pages of tags only."""
    return lambda request, response: (
        fault(request, response) if repository_of(request) else response
    )


def throttled_for(seconds: int) -> Fault:
    """Too many requests; come back in some seconds."""

    def fault(request: Request, response: Response) -> Response:
        refused = throttled(request, response)
        return _with_headers(refused, {"Retry-After": str(seconds)})

    return fault


def disguised(_: Request, __: Response) -> Response:
    """An error page that claims to be a success."""
    return Response(200, {"Content-Type": "text/html"}, b"<html>Down for maintenance</html>")


def slow_first_byte(seconds: float) -> Fault:
    """Nothing for a while, then everything."""
    return lambda _, response: replace(response, delay_seconds=response.delay_seconds + seconds)


def reset(_: Request, response: Response) -> Response:
    """A connection reset instead of an answer."""
    return replace(response, is_reset=True)


def broken_json(_: Request, response: Response) -> Response:
    """Half of the body, announced as if it were all."""
    return replace(response, body=response.body[: len(response.body) // 2])


def compressed(request: Request, response: Response) -> Response:
    """A gzipped body, for those who accept one."""
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return response
    return replace(
        _with_headers(response, {"Content-Encoding": "gzip"}), body=gzip.compress(response.body)
    )


def garbled_total(_: Request, response: Response) -> Response:
    """A Content-Range that says nothing."""
    return _with_total(response, "many")


def total_too_high(_: Request, response: Response) -> Response:
    """A Content-Range that counts one record too many."""
    total = _total(response)
    return response if total is None else _with_total(response, str(total + 1))


def total_too_low(_: Request, response: Response) -> Response:
    """A Content-Range whose total is less than the records it comes with."""
    offset, _slash, _rest = response.headers.get("Content-Range", "").partition("-")
    rows = len(_parts(response) or ())
    return _with_total(response, str(int(offset) + rows - 1)) if offset and rows else response


def page_size_clamped(maximum: int) -> Fault:
    """Lists are given in pages of up to so many records, whatever was asked for."""

    def fault(_: Request, response: Response) -> Response:
        parts = _parts(response)
        return response if parts is None else _with_parts(response, parts[:maximum])

    return fault


def skewed_clock(seconds: float) -> Fault:
    """The registry's clock goes ahead by so much when it looks at signatures."""

    def fault(request: Request, response: Response) -> Response:
        now = datetime.now(UTC) + timedelta(seconds=seconds)
        if "authorization" not in request.headers or is_timely(request, now):
            return response
        return stale_signature()

    return fault


def altered_records(alter: Callable[[bytes], bytes]) -> Fault:
    """Pages of tags whose records are altered one by one, as JSON texts."""

    def fault(request: Request, response: Response) -> Response:
        parts = _parts(response) if repository_of(request) else None
        return response if parts is None else _with_parts(response, [alter(part) for part in parts])

    return fault


def _parts(response: Response) -> Sequence[bytes] | None:
    """The records of a list, verbatim; None if the response is none."""
    if response.status != _OK or not response.body.startswith(b"["):
        return None
    return array_elements(response.body)


def _with_parts(response: Response, parts: Sequence[bytes]) -> Response:
    body = b"[" + b",".join(parts) + b"]"
    stated = response.headers.get("Content-Range")
    if stated is None:
        return replace(response, body=body)
    offset, total = stated.partition("-")[0], stated.partition("/")[2]
    stated = f"{offset}-{len(parts)}/{total}"
    return replace(_with_headers(response, {"Content-Range": stated}), body=body)


def _total(response: Response) -> int | None:
    text = response.headers.get("Content-Range", "").partition("/")[2]
    return int(text) if text.isdigit() else None


def _with_total(response: Response, total: str) -> Response:
    stated = response.headers.get("Content-Range")
    if stated is None:
        return response
    return _with_headers(response, {"Content-Range": f"{stated.partition('/')[0]}/{total}"})


def _with_headers(response: Response, headers: dict[str, str]) -> Response:
    return replace(response, headers={**response.headers, **headers})


class NamedFault(NamedTuple):
    """A fault by name: how much it strikes where nothing else is said, and how it is made.

    `make` is given the registry, what chance is drawn from, and the share of requests or records.
    """

    share: float
    make: Callable[[Registry, random.Random, float], Fault]


ODD_RECORDS: Mapping[str, OddRecord] = {
    odd.__name__.replace("_", "-"): odd
    for odd in (
        odd_records.duplicate_ids,
        odd_records.unknown_fields,
        odd_records.missing_fields,
        odd_records.missing_digest,
        odd_records.numbers_as_text,
        odd_records.fraction_digits,
        odd_records.nonsense_update,
        odd_records.nonsense_creation,
        odd_records.not_an_object,
        odd_records.huge_manifest,
        odd_records.deep_manifest,
        odd_records.deep_record,
        odd_records.lone_surrogate,
        odd_records.not_utf8,
        odd_records.largest_size,
        odd_records.size_beyond,
        odd_records.hostile_name,
    )
}


def _odd(odd: OddRecord) -> NamedFault:
    def make(_: Registry, __: random.Random, share: float) -> Fault:
        return altered_records(odd_records.share_of_records(odd, share))

    is_huge = odd is odd_records.huge_manifest
    return NamedFault(_FEW_RECORDS if is_huge else _SOME_RECORDS, make)


def _plain(fault: Fault, share: float) -> NamedFault:
    return NamedFault(share, lambda _, draw, share: sometimes(fault, share, draw))


def _moving(registry: Registry, draw: random.Random, share: float) -> Fault:
    return Moving(registry, draw, chance=share)


def _vanishing(registry: Registry, draw: random.Random, share: float) -> Fault:
    return sometimes(Vanishing(registry, pages=2), share, draw)


def _option(name: str, option: FaultOption) -> tuple[str, NamedFault]:
    def make(registry: Registry, draw: random.Random, share: float) -> Fault:
        (fault,) = faults.faults_by_name({name: share}, registry, draw)
        return fault

    return name, NamedFault(option.share, make)


ALL_FAULTS: Mapping[str, NamedFault] = {
    **{name: _odd(odd) for name, odd in ODD_RECORDS.items()},
    "moving": NamedFault(1, _moving),
    "vanishing": NamedFault(1, _vanishing),
    "page-size-clamped": _plain(page_size_clamped(100), 1),
    "garbled-total": _plain(garbled_total, 1),
    "total-too-high": _plain(total_too_high, 1),
    "total-too-low": _plain(total_too_low, 1),
    "clock-skew": _plain(skewed_clock(3600), 1),
    "throttled-for-a-second": _plain(throttled_for(1), 0.1),
    "error-500": _plain(faults.failing(500), 0.1),
    "error-502": _plain(faults.failing(502), 0.1),
    "disguised-error": _plain(disguised, 0.1),
    **dict(_option(name, option) for name, option in faults.FAULTS.items()),
    "broken-json": _plain(broken_json, 0.1),
    "gzip": _plain(compressed, 1),
    "slow-first-byte": _plain(slow_first_byte(1), 0.1),
    "reset": _plain(reset, 0.1),
}


def all_faults_by_name(
    shares: Mapping[str, float], registry: Registry, draw: random.Random
) -> Sequence[Fault]:
    """Make the named faults of a registry, in the table's order; with the share of each."""
    return [
        fault.make(registry, draw, shares[name])
        for name, fault in ALL_FAULTS.items()
        if name in shares
    ]
