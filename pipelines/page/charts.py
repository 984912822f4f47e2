"""Pictures of reports as PNG: how old tags are, what takes the space, how the registry grows.

Drawn from the reports as they are; nothing is computed here that a report does not say. pandas and
matplotlib stay in this room.
"""

import io
from collections.abc import Callable, Mapping

import pandas as pd
from duckdb import DuckDBPyConnection
from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from rich.filesize import decimal

# As much as Dagster shows of a description without a click, on a screen of 1,280 dots.
_SIZE_INCHES = (6.7, 2.1)
_DOTS_PER_INCH = 100
rcParams["font.size"], rcParams["axes.titlesize"] = 8.0, 9.0
_SHOWN = 8
_LONGEST_LABEL = 34
_HALF_A_DAY = pd.Timedelta(hours=12)
# Distinct also for those who do not see red and green alike.
_BLUE, _LIGHT, _ORANGE, _GREY = "#2b5c8a", "#8fb8de", "#e08214", "#c7c7c7"
_SHADES = (_BLUE, _ORANGE, _LIGHT, "#5aae61", "#9970ab", _GREY)


def chart(con: DuckDBPyConnection, report: str) -> bytes | None:
    """Draw a report as a PNG; None for those whose rows say it better.

    Args:
        con: a warehouse with its reports built.
        report: name of a file of `sql/reports`.
    """
    draw = _DRAWINGS.get(report)
    if draw is None:
        return None
    return _picture(draw, con.table(f"reports.{report}").df())


def _picture(draw: Callable[[Axes, pd.DataFrame], None], rows: pd.DataFrame) -> bytes:
    figure = Figure(figsize=_SIZE_INCHES, dpi=_DOTS_PER_INCH, layout="constrained")
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    measured = "deduplicated_bytes"
    if rows.empty:
        axes.set_title("nothing yet")
    elif measured in rows and rows[measured].isna().all():
        axes.set_title("no size is known")
    else:
        draw(axes, rows)
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return file.getvalue()


def _ages(axes: Axes, rows: pd.DataFrame) -> None:
    """Stack the tags of each age by namespace; the smaller namespaces together."""
    largest = rows.groupby("namespace")["tag_count"].sum().nlargest(len(_SHADES) - 1).index
    owner = rows["namespace"].where(rows["namespace"].isin(largest), "others")
    table = rows.pivot_table("tag_count", ["bucket_number", "age_bucket"], owner, "sum")
    table = table.fillna(0)[[name for name in [*largest, "others"] if name in table]]
    ages = [age for _, age in table.index]
    floor = pd.Series(0.0, table.index)
    for name, shade in zip(table, _SHADES, strict=False):
        bars = axes.bar(ages, table[name], bottom=floor, color=shade)
        bars.set_label(_label(str(name)))
        floor += table[name]
    for age, height in zip(ages, floor, strict=True):
        axes.annotate(f"{height:,.0f}", (age, height), ha="center", va="bottom")
    axes.set_title("Live tags by days since their last update")
    _legend(axes)


def _sizes(axes: Axes, rows: pd.DataFrame) -> None:
    """Draw a bar for each scope: its exclusive and its shared bytes."""
    names = [name for name in ("namespace", "repository") if name in rows]
    known = rows.dropna(subset="deduplicated_bytes").sort_values(names)
    largest = known.sort_values("deduplicated_bytes", ascending=False, kind="stable")
    shown = largest.head(_SHOWN).iloc[::-1]
    places = range(len(shown))
    axes.barh(places, shown["exclusive_bytes"], color=_BLUE, label="exclusive")
    axes.barh(
        places,
        shown["shared_bytes"],
        left=shown["exclusive_bytes"],
        color=_LIGHT,
        label="shared",
    )
    labels = shown[names].agg("/".join, axis=1)
    axes.set_yticks(places, map(_label, labels))
    axes.xaxis.set_major_formatter(_bytes)
    axes.set_title(f"The largest by deduplicated bytes, {len(shown)} of {len(rows)}{_bounds(rows)}")
    _legend(axes)


def _ledger(axes: Axes, rows: pd.DataFrame) -> None:
    """Cut one bar into the four kinds of users; they add up to the deduplicated bytes."""
    (row,) = rows.to_dict("records")
    parts = {
        "one tag": row["one_tag_bytes"],
        "several tags of one repository": row["one_repository_bytes"],
        "several repositories of one namespace": row["one_namespace_bytes"],
        "several namespaces": row["many_namespaces_bytes"],
    }
    start = 0
    for (name, size), shade in zip(parts.items(), _SHADES, strict=False):
        known = 0 if pd.isna(size) else int(size)
        axes.barh([0], [known], left=start, color=shade, label=f"{name}: {decimal(known)}")
        start += known
    axes.set_yticks([])
    axes.set_ylim(-0.6, 1.4)
    axes.xaxis.set_major_formatter(_bytes)
    axes.set_title(f"Deduplicated bytes by who uses them{_bounds(rows)}")
    axes.legend(frameon=False, loc="upper left", ncols=2)


def _growth(axes: Axes, rows: pd.DataFrame) -> None:
    """Draw the deduplicated bytes after each run."""
    moments = rows["as_of"]
    axes.plot(moments, rows["deduplicated_after_bytes"], color=_BLUE, marker="o", markersize=3)
    axes.fill_between(moments, rows["deduplicated_after_bytes"], color=_LIGHT, alpha=0.4)
    axes.set_ylim(bottom=0)
    # A day at least, so that a single run shows, and its date.
    axes.set_xlim(moments.min() - _HALF_A_DAY, moments.max() + _HALF_A_DAY)
    axes.yaxis.set_major_formatter(_bytes)
    dates = AutoDateLocator(maxticks=8)  # type: ignore[no-untyped-call] # untyped there
    axes.xaxis.set_major_locator(dates)
    axes.xaxis.set_major_formatter(
        ConciseDateFormatter(dates)  # type: ignore[no-untyped-call] # untyped there
    )
    axes.set_title("Deduplicated bytes after each run")


_DRAWINGS: Mapping[str, Callable[[Axes, pd.DataFrame], None]] = {
    "age_buckets": _ages,
    "daily_growth": _growth,
    "namespace_sizes": _sizes,
    "registry_size": _ledger,
    "repository_sizes": _sizes,
}


def _bounds(rows: pd.DataFrame) -> str:
    """Say so where a size is not exact."""
    return "" if (rows["size_basis"] == "exact").all() else " (some are not exact)"


def _legend(axes: Axes) -> None:
    axes.legend(frameon=False)


def _bytes(value: float, position: float) -> str:
    """Label a tick; where it stands does not matter."""
    del position
    return decimal(round(value)) if value >= 0 else f"-{decimal(round(-value))}"


def _label(name: str) -> str:
    """Write a name in letters every font has; its end says more than its beginning."""
    plain = " ".join(name.encode("ascii", "backslashreplace").decode().split())
    short = plain if len(plain) <= _LONGEST_LABEL else "…" + plain[1 - _LONGEST_LABEL :]
    # matplotlib takes a dollar for a formula, and leaves out what begins with an underscore.
    return (" " * short.startswith("_") + short).replace("$", r"\$")
