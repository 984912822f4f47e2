"""The table of faults by name: what each does, how often by itself, and how it is made.

What the command line offers. In this order they take effect: first records get odd, then lists,
then answers, then what carries them.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from pipelines.swr.stand_in import faults, oddities
from pipelines.swr.stand_in.faults import Fault, sometimes
from pipelines.swr.stand_in.oddities import Oddity
from pipelines.swr.stand_in.registry import Registry
from pipelines.swr.stand_in.unrest import Moving, Vanishing

_SOME_RECORDS = 0.2
_FEW_RECORDS = 0.002


class Named(NamedTuple):
    """A fault to be had by name.

    Attributes:
        meaning: what it does, in a sentence.
        share: how much it strikes where nothing else is said: of the requests, or of the records.
        make: make it for a registry, with what chance is drawn from, and a share.
    """

    meaning: str
    share: float
    make: Callable[[Registry, random.Random, float], Fault]


ODDITIES: Mapping[str, Oddity] = {
    odd.__name__.replace("_", "-"): odd
    for odd in (
        oddities.duplicate_ids,
        oddities.unknown_fields,
        oddities.missing_fields,
        oddities.missing_digest,
        oddities.numbers_as_text,
        oddities.fraction_digits,
        oddities.nonsense_update,
        oddities.nonsense_creation,
        oddities.not_an_object,
        oddities.huge_manifest,
        oddities.deep_manifest,
        oddities.deep_record,
        oddities.lone_surrogate,
        oddities.not_utf8,
        oddities.largest_size,
        oddities.size_beyond,
        oddities.hostile_name,
    )
}


def _odd(odd: Oddity) -> Named:
    def make(_: Registry, __: random.Random, share: float) -> Fault:
        return faults.altered_records(oddities.share_of_records(odd, share))

    is_huge = odd is oddities.huge_manifest
    return Named(_first_line(odd), _FEW_RECORDS if is_huge else _SOME_RECORDS, make)


def _plain(fault: Fault, share: float, meaning: str | None = None) -> Named:
    return Named(
        meaning or _first_line(fault), share, lambda _, draw, share: sometimes(fault, share, draw)
    )


def _first_line(function: Callable[..., object]) -> str:
    return (function.__doc__ or "").partition("\n")[0]


def _moving(registry: Registry, draw: random.Random, share: float) -> Fault:
    return Moving(registry, draw, chance=share)


def _vanishing(registry: Registry, draw: random.Random, share: float) -> Fault:
    return sometimes(Vanishing(registry, pages=2), share, draw)


def _forbidden(registry: Registry, draw: random.Random, share: float) -> Fault:
    names = [record["name"] for record in registry.namespace_records()]
    return sometimes(faults.forbidden(draw.choice(names)), share, draw)


def _expiring(_: Registry, draw: random.Random, share: float) -> Fault:
    return sometimes(faults.ExpiringTokens(uses=20), share, draw)


FAULTS: Mapping[str, Named] = {
    **{name: _odd(odd) for name, odd in ODDITIES.items()},
    "moving": Named("A push, a move or a deletion after a page of tags.", 1, _moving),
    "vanishing": Named("One repository is deleted after two pages of its tags.", 1, _vanishing),
    "page-size-refused": _plain(
        faults.page_size_refused(100), 1, "Pages of more than 100 records are refused."
    ),
    "page-size-clamped": _plain(
        faults.page_size_clamped(100), 1, "Pages hold 100 records, whatever was asked for."
    ),
    "no-total": _plain(faults.without_total, 1),
    "garbled-total": _plain(faults.garbled_total, 1),
    "total-too-high": _plain(faults.total_too_high, 1),
    "total-too-low": _plain(faults.total_too_low, 1),
    "forbidden": Named("One namespace may not be looked into: 403.", 1, _forbidden),
    "expiring-tokens": Named("A token is good for 20 requests.", 1, _expiring),
    "clock-skew": _plain(
        faults.skewed_clock(3600), 1, "The registry's clock is an hour ahead of signatures."
    ),
    "throttled": _plain(faults.throttled, 0.1),
    "throttled-for-a-second": _plain(
        faults.throttled_for(1), 0.1, "Too many requests; come back in a second."
    ),
    "error-500": _plain(faults.failing(500), 0.1, "500 and a page of HTML."),
    "error-502": _plain(faults.failing(502), 0.1, "502 and a page of HTML."),
    "error-503": _plain(faults.failing(503), 0.1, "503 and a page of HTML."),
    "disguised-error": _plain(faults.disguised, 0.1),
    "broken-json": _plain(faults.broken_json, 0.1),
    "gzip": _plain(faults.compressed, 1),
    "slow-first-byte": _plain(faults.slow_first_byte(1), 0.1, "A second before the first byte."),
    "slow-body": _plain(faults.slow_body(1), 0.1, "A second's pause in the body."),
    "truncated": _plain(faults.truncated, 0.1),
    "reset": _plain(faults.reset, 0.1),
}


def faults_by_name(
    shares: Mapping[str, float], registry: Registry, draw: random.Random
) -> Sequence[Fault]:
    """Make the named faults of a registry, in the order they take effect.

    Args:
        shares: by name, the share that is struck.
        registry: what the stand-in serves.
        draw: what chance is drawn from.
    """
    return [
        named.make(registry, draw, shares[name]) for name, named in FAULTS.items() if name in shares
    ]


def table_of_faults() -> str:
    """A line for each fault: its name, its share and what it does."""
    return "\n".join(f"{name:<23} {f.share:<6}{f.meaning}" for name, f in FAULTS.items())
