"""What described runs leave of pulls: counts that lists showed, and pulls of their own.

A run's `downloads` gives the counts its lists show by repository, `own_pulls` how many manifests it
pulls from a repository after it has read the list, `not_held` how many it asks for in vain.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from described_runs import Row, Run, row_of, split


def download_counts(runs: Sequence[Run]) -> Iterator[Row]:
    """A row where the count is another than before; a repository made anew begins anew."""
    last: dict[tuple[str, str], int] = {}
    for run in runs:
        for name in run.described.get("recreated", []):
            last.pop((run.registry, name), None)
        for name, count in run.described.get("downloads", {}).items():
            if last.get((run.registry, name)) != count:
                last[run.registry, name] = count
                yield row_of(
                    "download_counts",
                    registry=run.registry,
                    run_id=run.run_id,
                    **split(name),
                    download_count=count,
                )


def own_pulls(runs: Sequence[Run]) -> Iterator[Row]:
    """A row for each, asked for a minute after the run's as_of."""
    for run in runs:
        for described, outcome in (("own_pulls", "read"), ("not_held", "missing")):
            for name, count in run.described.get(described, {}).items():
                for number in range(count):
                    yield row_of(
                        "pulls",
                        registry=run.registry,
                        kind=("manifest", "config")[number % 2],
                        digest=f"{outcome}-{run.number}-{number}",
                        **split(name),
                        outcome=outcome,
                        run_id=run.run_id,
                        asked_at=run.as_of + timedelta(minutes=1),
                    )
