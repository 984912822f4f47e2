"""Kinds of values that several commands take."""

import os
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import click

_UNITS = {
    f"{letter}{binary}b": base**power
    for power, letter in enumerate(["", "k", "m", "g", "t", "p"])
    for binary, base in (("", 1000), ("i", 1024))
}
_ALL = 100
_CHOICE = "SWR_REGISTRY"
_CLOCKS_DIFFER = timedelta(hours=1)


class Size(click.ParamType[int]):
    """A size such as 500GB or 2TiB, in bytes."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read it."""
        if isinstance(value, int):
            return value
        found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]*)", str(value).strip().lower())
        unit = _UNITS.get(found[2] or "b") if found else None
        if found is None or unit is None:
            self.fail(f"{value!r} is no size such as 500GB or 2TiB", param, ctx)
        return int(float(found[1]) * unit)


class Moment(click.ParamType[datetime]):
    """A moment such as 2026-11-27 or 2026-11-27T08:30:00Z, in UTC where it names no zone."""

    name = "time"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Read it; one in the future is a mistake, beyond what clocks differ by."""
        try:
            at = datetime.fromisoformat(str(value).strip())
        except ValueError:
            self.fail(f"{value!r} is no time such as 2026-11-27T08:30:00Z", param, ctx)
        at = at.replace(tzinfo=at.tzinfo or UTC).astimezone(UTC)
        if at > datetime.now(UTC) + _CLOCKS_DIFFER:
            self.fail(f"{value!r} lies in the future", param, ctx)
        return at


class Percent(click.ParamType[Decimal]):
    """A share such as 20% or 20."""

    name = "percent"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Decimal:
        """Read it."""
        found = re.fullmatch(r"(\d{1,3}(?:\.\d{1,9})?)%?", str(value).strip())
        if found is None or Decimal(found[1]) > _ALL:
            self.fail(f"{value!r} is no share such as 20%", param, ctx)
        return Decimal(found[1])


def registry_option() -> click.Option:
    """The option by which a command is told which registry of several it is to speak of."""
    return click.Option(
        ["--registry"],
        metavar="NAME",
        expose_value=False,
        callback=_choose,
        help="Of the registries in SWR_REGISTRIES, this one.",
    )


def _choose(ctx: click.Context, _: click.Parameter, name: str | None) -> None:
    """Have the settings say it, for as long as the command runs."""
    if name is None:
        return
    before = os.environ.get(_CHOICE)
    os.environ[_CHOICE] = name
    ctx.call_on_close(lambda: _set(before))


def _set(choice: str | None) -> None:
    if choice is None:
        os.environ.pop(_CHOICE, None)
    else:
        os.environ[_CHOICE] = choice
