"""What each run proved: when a repository was read, what was left unseen, what a list lacks."""

from pathlib import Path
from typing import Any

import pytest
from made_once import made_once
from warehouse_rows import (
    REGISTRY,
    Row,
    as_of,
    counted,
    crawl,
    ingest,
    listed,
    namespace,
    rows,
    tag,
)

OTHER: Row = {"repository": "other"}


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where first runs are kept that several tests begin with."""
    return tmp_path_factory.mktemp("kept")


def first_run(directory: Path, kept: Path, **listed_too: Any) -> None:
    """A complete reading of one tag."""
    made_once(
        kept / "-".join(["first", *listed_too]),
        directory,
        lambda: ingest(directory, 1, [crawl(1)], [tag("a", "A")], **listed_too),
    )


def column(directory: Path, name: str) -> dict[str, Any]:
    """One column of repositories, by repository."""
    return dict(rows(directory, f"select repository, {name} from repositories"))


@pytest.mark.parametrize(
    ("status", "read_at"),
    [
        ("complete", as_of(2)),
        ("unchanged", as_of(2)),
        ("incomplete", as_of(1)),
        ("failed", as_of(1)),
        ("missing", None),
        (None, as_of(1)),
    ],
)
def test_a_repository_was_read_when_a_run_last_proved_it(
    tmp_path: Path, kept: Path, status: str | None, read_at: Any
) -> None:
    """A reading that proves nothing, or none, leaves it as old as it was; one gone is unread."""
    first_run(tmp_path, kept)
    crawls = [crawl(2, status)] if status else []
    ingest(tmp_path, 2, crawls, [tag("a", "A")], repositories=[listed()])
    assert column(tmp_path, "read_at") == {"app": read_at}


def test_a_repository_that_was_never_read_has_no_such_moment(tmp_path: Path) -> None:
    """Be it out of the scope, failed from the first, or gone and back in the list."""
    ingest(tmp_path, 1, [crawl(1)], [tag("a", "A")])
    ingest(tmp_path, 2, [crawl(2, "missing")])
    ingest(
        tmp_path,
        3,
        [crawl(3, "failed"), crawl(3, "failed", repository="broken")],
        repositories=[listed(), listed(repository="broken"), listed(repository="out of scope")],
    )
    never = dict.fromkeys(("app", "broken", "out of scope"))
    assert column(tmp_path, "read_at") == never
    statuses = {"app": "failed", "broken": "failed", "out of scope": None}
    assert column(tmp_path, "crawl_status") == statuses


def test_the_latest_crawl_says_how_a_repository_stands(tmp_path: Path) -> None:
    """Status, cause and error; a run that does not read it changes none of them."""
    facts = "select crawl_status, crawl_cause, crawl_error from repositories"
    contradicted: Row = {"cause": "list_contradicted", "error": "3 of 5"}
    ingest(tmp_path, 1, [crawl(1, "incomplete", **contradicted)], [tag("a", "A")])
    assert rows(tmp_path, facts) == [("incomplete", "list_contradicted", "3 of 5")]
    ingest(tmp_path, 2, [])
    assert rows(tmp_path, facts) == [("incomplete", "list_contradicted", "3 of 5")]
    ingest(tmp_path, 3, [crawl(3, "failed", error="502")])
    assert rows(tmp_path, facts) == [("failed", None, "502")]
    ingest(tmp_path, 4, [crawl(4)], [tag("a", "A")])
    assert rows(tmp_path, facts) == [("complete", None, None)]


def test_tags_that_an_incomplete_reading_did_not_see_are_counted(tmp_path: Path) -> None:
    """Live tags after it: a new or a moved one was seen, and so was one whose record was rejected.

    Of five known tags it saw `same`, `moved` and the record of `rejected`: two are unseen.
    """
    known = [tag(name, "A") for name in ("same", "moved", "rejected", "unseen 1", "unseen 2")]
    ingest(tmp_path, 1, [crawl(1), crawl(1, **OTHER)], [*known, tag("a", "A", **OTHER)])
    assert column(tmp_path, "unseen_tag_count") == {"app": 0, "other": 0}
    ingest(
        tmp_path,
        2,
        [crawl(2, "incomplete"), crawl(2, "failed", **OTHER)],
        [tag("same", "A"), tag("moved", "B", 1), tag("new", "C", 2)],
        rejected=[counted("rejected", "hash", 3)],
    )
    assert column(tmp_path, "unseen_tag_count") == {"app": 2, "other": 0}
    logged = "select run_id, repository, unseen_tag_count from ingest.crawls order by all"
    assert rows(tmp_path, logged) == [
        ("run 1", "app", 0),
        ("run 1", "other", 0),
        ("run 2", "app", 2),
        ("run 2", "other", 0),
    ]
    ingest(tmp_path, 3, [crawl(3, "failed")])
    assert column(tmp_path, "unseen_tag_count")["app"] == 0
    ingest(tmp_path, 4, [crawl(4, "incomplete")])
    assert column(tmp_path, "unseen_tag_count")["app"] == 6


UNLISTED = [
    ([namespace()], [crawl(2, "failed")], True),
    ([namespace()], [], True),
    ([namespace("another")], [crawl(2, "failed")], True),
    ([namespace("another")], [], True),
    ([namespace(status="incomplete")], [crawl(2, "failed")], False),
    ([namespace(status="failed")], [crawl(2, "failed")], False),
    ([namespace(status="not_asked")], [], False),
    ([namespace()], [crawl(2, "unchanged")], False),
    ([namespace()], [crawl(2)], False),
    ([namespace()], [crawl(2, "incomplete")], False),
    ([namespace()], [crawl(2, "missing")], False),
]


@pytest.mark.parametrize(("namespaces", "crawls", "is_unlisted"), UNLISTED)
def test_a_repository_is_unlisted_while_complete_lists_lack_it(
    tmp_path: Path, kept: Path, namespaces: list[Row], crawls: list[Row], is_unlisted: bool
) -> None:
    """The list of its namespace, or that of the namespaces; unless it was read, or is gone."""
    first_run(tmp_path, kept, repositories=[listed()])
    ingest(tmp_path, 2, crawls, [tag("a", "A")], namespaces=namespaces)
    assert column(tmp_path, "unlisted_since") == {"app": as_of(2) if is_unlisted else None}


@pytest.mark.parametrize(
    ("crawls", "repositories"),
    [([], [listed()]), ([crawl(4)], []), ([crawl(4, "missing")], [])],
    ids=["listed", "read", "gone"],
)
def test_a_repository_stays_unlisted_since_the_first_such_run(
    tmp_path: Path, kept: Path, crawls: list[Row], repositories: list[Row]
) -> None:
    """Until it is listed, read or confirmed to be gone."""
    team = [namespace()]
    first_run(tmp_path, kept, repositories=[listed()], namespaces=team)
    ingest(tmp_path, 2, [crawl(2, "failed")], namespaces=team)
    ingest(tmp_path, 3, [crawl(3, "failed")], namespaces=team)
    assert column(tmp_path, "unlisted_since") == {"app": as_of(2)}
    # A run that does not list the namespace says nothing of it.
    ingest(tmp_path, 4, [], namespaces=[namespace(status="not_asked")])
    assert column(tmp_path, "unlisted_since") == {"app": as_of(2)}
    ingest(tmp_path, 5, crawls, repositories=repositories, namespaces=team)
    assert column(tmp_path, "unlisted_since") == {"app": None}


def test_every_visible_namespace_has_a_row(tmp_path: Path) -> None:
    """One that is not visible any more keeps what was last known of it."""
    table = "from ingest.namespaces order by namespace"
    first = [namespace("a"), namespace("b", "failed", error="403"), namespace("c", "not_asked")]
    ingest(tmp_path, 1, [], namespaces=first)
    one = (as_of(1), as_of(1))
    assert rows(tmp_path, table) == [
        (REGISTRY, "a", *one, "complete", as_of(1), 0, None),
        (REGISTRY, "b", *one, "failed", None, 0, "403"),
        (REGISTRY, "c", *one, "not_asked", None, 0, None),
    ]
    second = [
        namespace("a", "incomplete", error="2 of 4", unreadable_repositories=1),
        namespace("c"),
    ]
    ingest(tmp_path, 2, [], namespaces=second)
    two = (as_of(1), as_of(2))
    assert rows(tmp_path, table) == [
        (REGISTRY, "a", *two, "incomplete", as_of(1), 1, "2 of 4"),
        (REGISTRY, "b", *one, "failed", None, 0, "403"),
        (REGISTRY, "c", *two, "complete", as_of(2), 0, None),
    ]


@pytest.mark.parametrize(
    "later", [namespace(status="failed", error="403"), namespace(status="not_asked")]
)
def test_a_hole_in_a_list_stays_until_there_is_a_list_again(tmp_path: Path, later: Row) -> None:
    """A run that fails to list a namespace, or does not ask, does not know better."""
    state = "select list_status, listed_at, unreadable_repositories, error from ingest.namespaces"
    cut = namespace(status="incomplete", error="2 of 4", unreadable_repositories=1)
    ingest(tmp_path, 1, [], namespaces=[namespace()])
    for run, (seen, expected) in enumerate(
        [
            (cut, ("incomplete", as_of(1), 1, "2 of 4")),
            (later, ("incomplete", as_of(1), 1, "2 of 4")),
            (namespace(unreadable_repositories=2), ("complete", as_of(4), 2, None)),
            (later, (later["list_status"], as_of(4), 2, later.get("error"))),
            (namespace(), ("complete", as_of(6), 0, None)),
            (later, (later["list_status"], as_of(6), 0, later.get("error"))),
        ],
        start=2,
    ):
        ingest(tmp_path, run, [], namespaces=[seen])
        assert rows(tmp_path, state) == [expected]
