"""Rows of repositories and the log of runs, and what a run without news may change."""

from pathlib import Path

from warehouse_rows import (
    REGISTRY,
    Row,
    as_of,
    counted,
    crawl,
    deleted,
    finished,
    ingest,
    listed,
    pushed,
    rows,
    started,
    tag,
)

from pipelines.warehouse.query import run_query

OTHER: Row = {"repository": "other"}
SEEN = """
    select repository, tag_count, first_seen_at, last_seen_at, deleted_detected_at
    from repositories
    order by repository
"""


def test_every_crawled_or_listed_repository_has_a_row(tmp_path: Path) -> None:
    """Seen last by a crawl that proved something; what the list says is kept as it says it."""
    ingest(
        tmp_path,
        1,
        [
            crawl(1),
            crawl(1, "failed", repository="broken", error="502"),
            crawl(1, "incomplete", **OTHER),
        ],
        [tag("a", "A", repo_id=5), tag("b", "B", repo_id=5), tag("x", "X", repo_id=8, **OTHER)],
        repositories=[
            listed(
                is_public=True,
                api_size_bytes=2**40,
                api_tag_count=3,
                download_count=4,
                created_at=pushed(1),
                updated_at=pushed(2),
            ),
            listed(repository="broken"),
        ],
    )
    assert rows(tmp_path, "select * from repositories order by repository") == [
        (
            *(REGISTRY, "team", "app", 5, True, 2**40, 3, 4, pushed(1), pushed(2)),
            *(2, as_of(1), as_of(1), as_of(1), "complete", None, None, 0, None, None),
        ),
        (
            *(REGISTRY, "team", "broken", None, False, None, None, None, None, None),
            *(0, as_of(1), None, None, "failed", None, "502", 0, None, None),
        ),
        (
            *(REGISTRY, "team", "other", 8, None, None, None, None, None, None),
            *(1, as_of(1), None, None, "incomplete", None, None, 0, None, None),
        ),
    ]


def test_a_repository_row_follows_its_list_and_its_crawls(tmp_path: Path) -> None:
    """A run that does not list it keeps what the list said; a failed one does not see it."""
    ingest(tmp_path, 1, [crawl(1)], [tag("a", "A")], repositories=[listed(download_count=1)])
    ingest(tmp_path, 2, [crawl(2, "failed")])
    ingest(tmp_path, 3, [crawl(3, everything=False)], [tag("b", "B", 1)])
    assert rows(tmp_path, SEEN) == [("app", 2, as_of(1), as_of(3), None)]
    facts = "select repo_id, is_public, download_count from repositories"
    assert rows(tmp_path, facts) == [(7, False, 1)]
    ingest(tmp_path, 4, [crawl(4, "unchanged")], repositories=[listed(is_public=True)])
    assert rows(tmp_path, SEEN) == [("app", 2, as_of(1), as_of(4), None)]
    assert rows(tmp_path, facts) == [(7, True, None)]


def test_a_repository_is_gone_since_it_was_first_found_missing(tmp_path: Path) -> None:
    """And back when it is listed again, even if it cannot be read."""
    ingest(tmp_path, 1, [crawl(1)], [tag("a", "A")])
    ingest(tmp_path, 2, [crawl(2, "missing")])
    ingest(tmp_path, 3, [crawl(3, "missing")])
    assert rows(tmp_path, SEEN) == [("app", 0, as_of(1), as_of(1), finished(2))]
    ingest(tmp_path, 4, [crawl(4, "failed")])
    assert rows(tmp_path, SEEN) == [("app", 0, as_of(1), as_of(1), finished(2))]
    ingest(tmp_path, 5, [crawl(5, "failed")], repositories=[listed()])
    assert rows(tmp_path, SEEN) == [("app", 0, as_of(1), as_of(1), None)]


def test_runs_crawls_and_rejected_records_are_logged(tmp_path: Path) -> None:
    """A rejected record once a run, however often it was received, whatever came of the crawl."""
    record = {"namespace": "team", "repository": "app", "reason": "no digest", "record": "{}"}
    failure: Row = {"error": "502", "received": 7, "expected": 9}
    ingest(tmp_path, 1, [crawl(1, "failed", **failure)], records=[record, record])
    ingest(tmp_path, 2, [crawl(2)])
    assert rows(tmp_path, "select run_id, as_of, status from ingest.runs order by as_of") == [
        ("run 1", as_of(1), "complete"),
        ("run 2", as_of(2), "complete"),
    ]
    assert rows(tmp_path, "select * from ingest.crawls order by run_id") == [
        (
            *(REGISTRY, "run 1", "team", "app", "failed", None, 1, 1, 9, 7, 0, 1, 0, None),
            *("502", started(1), finished(1)),
        ),
        (
            *(REGISTRY, "run 2", "team", "app", "complete", None, 1, 1, None, 0, 0, 1, 0, None),
            *(None, started(2), finished(2)),
        ),
    ]
    assert rows(tmp_path, "select * from ingest.rejected_records") == [
        (REGISTRY, "run 1", "team", "app", "no digest", "{}")
    ]


def test_a_run_without_news_changes_bookkeeping_only(tmp_path: Path) -> None:
    """Runs, crawls and when each repository was last seen; every other row of every table stays."""
    ingest(
        tmp_path,
        1,
        [crawl(1), crawl(1, **OTHER), crawl(1, "missing", repository="gone")],
        [tag("a", "A"), tag("b", "B", 3), deleted("d", "D"), tag("a", "A", **OTHER)],
        rejected=[counted("r", "hash")],
        records=[{"namespace": "team", "repository": "app", "reason": "?", "record": "{"}],
        repositories=[listed(download_count=1), listed(**OTHER)],
    )
    before = dump(tmp_path)
    ingest(
        tmp_path,
        2,
        [crawl(2, "unchanged"), crawl(2, "unchanged", **OTHER)],
        repositories=[listed(download_count=1), listed(**OTHER)],
    )
    after = dump(tmp_path)
    assert sorted(name for name in before if before[name] != after[name]) == [
        "ingest.crawls",
        "ingest.runs",
        "main.registries",
        "main.repositories",
    ]
    proven = {"last_seen_at": as_of(2), "read_at": as_of(2), "crawl_status": "unchanged"}
    assert after["main.repositories"] == [
        row | proven if row["repository"] in ("app", "other") else row
        for row in before["main.repositories"]
    ]


def test_a_full_run_without_news_rewrites_no_tag(tmp_path: Path) -> None:
    """Only when they were last seen changes."""
    tags = [tag("a", "A"), tag("b", "B", 3, is_scanned=True)]
    ingest(tmp_path, 1, [crawl(1)], [*tags, deleted("d", "D")], rejected=[counted("r", "hash")])
    before = dump(tmp_path)
    ingest(tmp_path, 2, [crawl(2)], [*tags, deleted("d", "D")], rejected=[counted("r", "hash")])
    after = dump(tmp_path)
    assert sorted(name for name in before if before[name] != after[name]) == [
        "ingest.crawls",
        "ingest.runs",
        "main.registries",
        "main.repositories",
        "main.tags",
    ]
    assert after["main.tags"] == [row | {"last_seen_at": as_of(2)} for row in before["main.tags"]]


def dump(directory: Path) -> dict[str, list[Row]]:
    """Every row of every table."""
    tables = rows(directory, "select schema_name || '.' || table_name from duckdb_tables()")
    return {
        name: run_query(directory, f"from {name} order by all").to_pylist() for (name,) in tables
    }
