"""The product beside the limits of the machine and beside its peers: one table a registry.

    python benchmarks/compare.py [--quick]

Programs take turns against one server; the table holds medians. Every database is judged.
"""

import argparse
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from rounds import HERE, PEERS, Program, Result, check, make_registry, run, serving

_OWN = sys.executable
_COMMAND = str(Path(_OWN).with_name("swr-warehouse"))
LIMITS = [
    Program(f"limit: {step}", [_OWN, str(HERE / "limits.py"), step])
    for step in ("download", "requests", "parse", "insert")
]
# What the peers hold too: their layers of an index are none, the view `tag_layers` reaches them.
_OWN_LAYERS = "(select layers.* from main.tags inner join main.layers using (manifest_digest))"
PRODUCT = Program(
    "product", [_OWN, str(HERE / "product.py")], layers=_OWN_LAYERS, digest="manifest_digest"
)
# The shell drops the arguments, which the command takes from the environment.
WHOLE = Program(
    "swr-warehouse ingest",
    ["sh", "-c", 'exec "$0" ingest', _COMMAND],
    layers=_OWN_LAYERS,
    digest="manifest_digest",
)
SCRIPT = Program(
    "requests + pandas", [_OWN, str(HERE / "script_pandas.py")], layers="main.tag_layers"
)
DLT = Program("dlt, declared", [str(PEERS), str(HERE / "peer_dlt.py")], layers="main.tags__layers")
DLT_ARROW = Program(
    "dlt, fed with Arrow", [str(PEERS), str(HERE / "peer_dlt_arrow.py")], layers="main.tag_layers"
)


class Case(NamedTuple):
    """A registry, and how far away it is."""

    repositories: int
    tags: int
    latency_ms: float
    connections: int
    rounds: int


CASES = [
    Case(1000, 10_000, 0, 4, 3),
    Case(1000, 10_000, 40, 16, 3),
    Case(2000, 100_000, 0, 4, 3),
]
QUICK = [Case(1000, 10_000, 0, 4, 1), Case(1000, 10_000, 40, 16, 1)]


class Row(NamedTuple):
    """A line of the table: medians in seconds and MB."""

    name: str
    wall: float
    cpu: float
    peak_mb: float | None = None


def main() -> None:
    """Print a table for each case."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="small registries, one round")
    parser.add_argument("--tags", type=int, help="only the cases of so many tags")
    parser.add_argument("--latency-ms", type=int, help="only the cases of this latency")
    parser.add_argument("--rounds", type=int)
    asked = parser.parse_args()
    for case in QUICK if asked.quick else CASES:
        if asked.tags in (None, case.tags) and asked.latency_ms in (None, case.latency_ms):
            compare(case._replace(rounds=asked.rounds or case.rounds))


def compare(case: Case) -> None:
    """Run every program in turn, some rounds, and print what they took."""
    programs = [*LIMITS, PRODUCT, WHOLE, SCRIPT, DLT, DLT_ARROW]
    results: dict[str, list[Result]] = {program.name: [] for program in programs}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "registry"
        totals = make_registry(folder, case.repositories, case.tags)[0]
        with serving(folder, latency_ms=case.latency_ms) as url:
            for _ in range(case.rounds):
                for program in programs:
                    result = _judged(program, folder, url, case, totals)
                    results[program.name].append(result)
                    print(program.name, result, file=sys.stderr, flush=True)
    print(
        f"\n{case.tags:,} tags in {case.repositories:,} repositories,"
        f" {totals['wire_bytes'] / 1e6:.0f} MB, {case.latency_ms} ms latency,"
        f" {case.connections} connections, medians of {case.rounds}\n"
    )
    print_table(rows(results))


def _judged(program: Program, folder: Path, url: str, case: Case, totals: dict[str, int]) -> Result:
    with tempfile.TemporaryDirectory() as directory:
        database = Path(directory) / "warehouse.duckdb"
        result = run(program, folder, database, url, case.connections)
        if program.layers:
            check(program, database, totals)
    return result


def rows(results: dict[str, list[Result]]) -> list[Row]:
    """Lines of the table: limits, their sums, the product with and without reports, the rest."""
    steps = {program.name: median_row(results[program.name], program.name) for program in LIMITS}
    download, lean, parse, insert = steps.values()
    product = results[PRODUCT.name]
    return [
        *steps.values(),
        _sum("limits", [download, parse, insert]),
        _sum("limits with requests at its leanest", [lean, parse, insert]),
        *(median_row(product, f"product: {step}", [step]) for step in ("crawl", "load", "reports")),
        median_row(product, "product: crawl + load", ["crawl", "load"]),
        *(
            median_row(results[program.name], program.name)
            for program in (PRODUCT, WHOLE, SCRIPT, DLT, DLT_ARROW)
        ),
    ]


def median_row(results: Sequence[Result], name: str, steps: Sequence[str] | None = None) -> Row:
    """Medians over rounds of the sum of some steps, or of all."""
    walls, cpus = (
        [sum(took[step] for step in (steps or took)) for took in kind]
        for kind in (
            [result.wall for result in results],
            [result.cpu for result in results],
        )
    )
    peak = None if steps else statistics.median(result.peak_mb for result in results)
    return Row(name, statistics.median(walls), statistics.median(cpus), peak)


def _sum(name: str, parts: Sequence[Row]) -> Row:
    return Row(name, sum(part.wall for part in parts), sum(part.cpu for part in parts))


def print_table(lines: Sequence[Row]) -> None:
    """Print Markdown, with ratios to the sum of the limits."""
    limits = next(line for line in lines if line.name == "limits")
    print("| | wall s | CPU s | of limits' wall | of limits' CPU | peak MB |")
    print("|---|--:|--:|--:|--:|--:|")
    for line in lines:
        peak = "" if line.peak_mb is None else f"{line.peak_mb:.0f}"
        print(
            f"| {line.name} | {line.wall:.2f} | {line.cpu:.2f} | {line.wall / limits.wall:.2f} |"
            f" {line.cpu / limits.cpu:.2f} | {peak} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
