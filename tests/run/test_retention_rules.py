"""Runs read the rules that repositories have, and the registry's log of what they deleted."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from ingest_site import CrawlSite, at_crawl_site, manifest

from pipelines.emulator.messages import Request, Response, gateway_error, json_response
from pipelines.emulator.registry import Registry
from pipelines.errors import NothingRead
from pipelines.run.clock import turned_to
from pipelines.run.progress import NoProgress
from pipelines.run.retention_rules import judged_rules, logged_entries

AT = datetime(2026, 3, 1, tzinfo=UTC)
KEEP_ONE = {"template": "tag_rule", "params": {"num": "1"}}
KEEP_DAYS = {
    "template": "date_rule",
    "params": {"days": 30},
    "tag_selectors": [
        {"kind": "label", "pattern": "latest"},
        {"kind": "regexp", "pattern": "^v2.*"},
    ],
}
RULES = "select repository, retention_id, template, keeps from retention_rules order by repository"
LOG = "select tag, rule_type, retention_id from retention_log order by deleted_at, tag"
EVERY_LOG = ["a/retentions/histories", "b$c/retentions/histories"]


class Notices(NoProgress):
    """Keeps what a person is told."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def notice(self, text: str) -> None:
        """Keep it."""
        self.said.append(text)


@pytest.fixture
def registry() -> Registry:
    """Three repositories of two tags each; the first has a rule by number, the second by days."""
    made = Registry()
    for name in ("a", "b/c", "d"):
        for number in (1, 2):
            at = AT + timedelta(hours=number)
            made.push("team", name, f"v{number}", manifest((name, 10 * number)), at=at)
    made.set_retention("team", "a", [KEEP_ONE])
    made.set_retention("team", "b/c", [KEEP_DAYS])
    return made


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the first run's warehouse is kept: it is the same for each test."""
    return tmp_path_factory.mktemp("kept") / "warehouse"


@pytest.fixture
def site(tmp_path: Path, registry: Registry) -> Iterator[CrawlSite]:
    """A site whose runs read rules."""
    with at_crawl_site(tmp_path, registry) as opened:
        opened.settings["SWR_READ_RULES"] = "true"
        opened.progress = Notices()
        yield opened


def said(site: CrawlSite) -> list[str]:
    """What a person was told of rules."""
    assert isinstance(site.progress, Notices)
    return [text for text in site.progress.said if text.startswith("Retention rules")]


def asked(site: CrawlSite) -> list[str]:
    """The requests of the last run for rules and logs: the end of each path."""
    paths = [entry.path.partition("/repos/")[2] for entry in site.server.log]
    return sorted(path for path in paths if "/retentions" in path)


def answering(*answers: tuple[str, Response]) -> Callable[[Request], Response | None]:
    """Answer what ends so otherwise."""

    def fault(request: Request) -> Response | None:
        return next((answer for end, answer in answers if request.path.endswith(end)), None)

    return fault


def test_nothing_is_asked_unless_it_is_set(site: CrawlSite) -> None:
    """The setting is off by itself."""
    site.settings["SWR_READ_RULES"] = "false"
    assert site.ingest() == "complete"
    assert asked(site) == []
    assert site.query("from ingest.retention_rules") == []


def test_a_clock_that_was_set_back_hides_no_rule(site: CrawlSite, registry: Registry) -> None:
    """The rule that was read last holds, though the machine says that it was read before."""
    with turned_to(datetime.now(UTC) + timedelta(hours=2)):
        site.ingest()
    registry.set_retention("team", "a", [KEEP_DAYS])
    site.ingest(full=True)
    found = site.query(RULES)
    assert [(row["repository"], row["template"], row["keeps"]) for row in found] == [
        ("a", "date_rule", 30),
        ("b/c", "date_rule", 30),
    ]
    before_its_run = """
        select count(*) as rules
        from ingest.retention_rules as rules inner join ingest.runs as runs using (run_id)
        where rules.first_read_at < runs.started_at
    """
    assert site.query(before_its_run) == [{"rules": 0}]


def test_rules_are_read_with_their_log(site: CrawlSite, registry: Registry) -> None:
    """The log only of repositories that have a rule."""
    registry.delete_by_retention("team", "a", "v1", at=AT + timedelta(days=1))
    site.ingest()
    assert asked(site) == sorted(["a/retentions", "b$c/retentions", "d/retentions", *EVERY_LOG])
    assert site.query(RULES) == [
        {"repository": "a", "retention_id": 222, "template": "tag_rule", "keeps": 1},
        {"repository": "b/c", "retention_id": 223, "template": "date_rule", "keeps": 30},
    ]
    assert site.query(LOG) == [{"tag": "v1", "rule_type": "tag_rule", "retention_id": 222}]
    assert site.query("from ingest.retention_selectors order by kind") == [
        {"registry": "localhost", "namespace": "team", "repository": "b/c", "kind": kind}
        | {"pattern": pattern}
        for kind, pattern in (("label", "latest"), ("regexp", "^v2.*"))
    ]
    [kept] = site.query("select answer from ingest.retention_rules where repository = 'b/c'")
    policy = {"algorithm": "or", "id": 223, "scope": "", "rules": [KEEP_DAYS]}
    assert json.loads(kept["answer"]) == [policy]
    assert said(site) == []


def test_only_what_the_list_shows_as_changed_is_asked_again(
    site: CrawlSite, kept: Path, registry: Registry
) -> None:
    """One request for the rules, another for the log where there is a rule; a pull tells nothing.

    A full run asks for everything.
    """
    site.begin(kept)
    registry.describe("team", "b/c", download_count=9)
    site.ingest()
    assert asked(site) == []
    registry.push("team", "d", "v3", manifest(("d", 30)), at=AT + timedelta(days=2))
    site.ingest()
    assert asked(site) == ["d/retentions"]
    registry.delete_by_retention("team", "a", "v1", at=AT + timedelta(days=3))
    site.ingest()
    assert asked(site) == ["a/retentions", "a/retentions/histories"]
    assert site.query(LOG) == [{"tag": "v1", "rule_type": "tag_rule", "retention_id": 222}]
    # A rule that has done nothing yet shows in no list.
    registry.set_retention("team", "d", [KEEP_ONE])
    site.ingest()
    assert asked(site) == []
    site.ingest(full=True)
    assert len(asked(site)) == 6
    assert [row["repository"] for row in site.query(RULES)] == ["a", "b/c", "d"]


def test_a_row_is_made_only_where_the_answer_is_another(
    site: CrawlSite, registry: Registry
) -> None:
    """A rule that is read once more keeps its row; what follows on a change is what holds."""
    for _ in range(2):
        site.ingest(full=True)
    registry.set_retention("team", "a", [KEEP_ONE | {"params": {"num": "5"}}])
    site.ingest(full=True)
    registry.set_retention("team", "b/c", [])
    site.ingest(full=True)
    rows = site.query("""
        select repository, keeps, first_read_at < last_read_at as is_read_again
        from ingest.retention_rules order by repository, first_read_at
    """)
    assert [tuple(row.values()) for row in rows] == [
        ("a", 1, True),
        ("a", 5, True),
        ("b/c", 30, True),
        ("b/c", None, False),
        ("d", None, True),
    ]
    assert [(row["repository"], row["keeps"]) for row in site.query(RULES)] == [("a", 5)]
    assert site.query("from ingest.retention_selectors") == []


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (gateway_error(403, "APIGW.0302", "no"), "refused"),
        (gateway_error(404, "APIGW.0101", "The API does not exist"), "missing"),
    ],
)
def test_a_refusal_is_remembered_and_fails_nothing(
    site: CrawlSite, answer: Response, outcome: str
) -> None:
    """It is said in one line, and nothing is asked again until the list or a full run asks."""
    site.server.fault = answering(("/retentions", answer))
    assert site.ingest() == "complete"
    assert len(asked(site)) == 3
    [line] = said(site)
    assert line.startswith(f"Retention rules of 3 repositories: 3 {outcome}. First: GET ")
    rows = site.query("select outcome, error from ingest.retention_rules")
    assert [row["outcome"] for row in rows] == [outcome] * 3
    assert all(str(answer.status) in row["error"] for row in rows)
    assert site.ingest() == "complete"
    assert asked(site) == []
    site.server.fault = None
    site.ingest(full=True)
    assert [row["repository"] for row in site.query(RULES)] == ["a", "b/c"]


def test_a_log_that_is_refused_is_noted(site: CrawlSite) -> None:
    """The rules are there all the same."""
    site.server.fault = answering(("/histories", gateway_error(403, "APIGW.0302", "no")))
    assert site.ingest() == "complete"
    [line] = said(site)
    assert line.startswith("Retention rules of 3 repositories: 2 no_log. First: GET ")
    assert len(site.query(RULES)) == 2
    site.ingest()
    assert asked(site) == []


def test_what_may_come_later_is_asked_for_in_the_next_run(site: CrawlSite) -> None:
    """Nothing is stored of a repository whose rules or log failed."""
    broken = Response(200, {"Content-Length": "9"}, b"[", truncate_at=1)
    site.server.fault = answering(("d/retentions", broken))
    assert site.ingest() == "complete"
    assert said(site) == ["Retention rules of 3 repositories: 1 failed."]
    site.server.fault = None
    site.ingest()
    assert asked(site) == ["d/retentions"]


def test_refused_credentials_end_the_reading(site: CrawlSite, kept: Path) -> None:
    """Nothing of rules is asked for after a crawl whose credentials were refused."""
    site.begin(kept)
    refusal = gateway_error(401, "APIGW.0301", "Incorrect IAM authentication information")
    site.server.fault = answering(("/tags", refusal))
    with pytest.raises(NothingRead):
        site.ingest(full=True)
    assert asked(site) == []


def test_an_answer_that_cannot_be_read_is_kept(site: CrawlSite) -> None:
    """It is said, and the log is read, for there may be a rule."""
    site.server.fault = answering(("d/retentions", json_response(200, {"odd": [1]})))
    assert site.ingest() == "complete"
    [line] = said(site)
    assert line.startswith("Retention rules of 3 repositories: 1 unreadable. First: the answer is")
    assert "d/retentions/histories" in asked(site)
    [row] = site.query("select answer from ingest.retention_rules where repository = 'd'")
    assert row["answer"] == '{"odd": [1]}'


def test_a_long_log_is_read_to_its_end_and_then_as_far_as_it_is_new(
    site: CrawlSite, registry: Registry
) -> None:
    """A hundred deletions a page; the newest come first."""
    text = manifest(("a", 10))
    for number in range(250):
        at = AT + timedelta(minutes=number)
        registry.push("team", "a", f"pr-{number:03}", text, at=at)
        registry.delete_by_retention("team", "a", f"pr-{number:03}", at=at)
    site.ingest()
    assert asked(site).count("a/retentions/histories") == 3
    assert site.query("select count(*) as n from retention_log") == [{"n": 250}]
    registry.push("team", "a", "new", text, at=AT + timedelta(days=2))
    registry.delete_by_retention("team", "a", "v1", at=AT + timedelta(days=2))
    site.ingest()
    assert asked(site).count("a/retentions/histories") == 1
    assert site.query("select count(*) as n from retention_log") == [{"n": 251}]


NOTHING: dict[str, Any] = dict.fromkeys(
    ("retention_id", "template", "keeps", "tag_selectors", "problem")
)


@pytest.mark.parametrize("answer", [b"[]", b"null", b"", b'[{"id": 1, "rules": null}]', b"[{}]"])
def test_no_rule_has_many_forms(answer: bytes) -> None:
    """None of them is a problem."""
    assert judged_rules(answer) == NOTHING


def policy(**rule: Any) -> bytes:
    """An answer with one rule."""
    made = {"template": "tag_rule", "params": {"num": "5"}} | rule
    return json.dumps([{"id": 7, "algorithm": "or", "rules": [made], "new": True}]).encode()


def test_a_rule_is_read_as_the_api_writes_it() -> None:
    """Numbers are text or not; unknown fields are no problem."""
    selectors = [{"kind": "regexp", "pattern": "^v2.*"}]
    found = judged_rules(policy(tag_selectors=selectors, more=1))
    assert found == NOTHING | {
        "retention_id": 7,
        "template": "tag_rule",
        "keeps": 5,
        "tag_selectors": json.dumps(selectors),
    }
    assert judged_rules(policy(params={"num": 5, "unit": "tags"}))["keeps"] == 5


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (b"<html>", "the answer is no list of rules"),
        (b'{"rules": []}', "the answer is no list of rules"),
        (b"\xff", "the answer is no list of rules"),
        (b"[" * 100_000, "the answer is no list of rules"),
        (policy(template="size_rule"), "'size_rule' is no kind of rule"),
        (policy(params={"days": "5"}), "it does not say how much to keep"),
        (policy(params={"num": "0"}), "it does not say how much to keep"),
        (policy(params={"num": "many"}), "the answer is no list of rules"),
        (policy(tag_selectors=[{"kind": "glob", "pattern": "*"}]), "'glob' is no kind of selector"),
        (policy(tag_selectors=[{"kind": "regexp", "pattern": "("}]), "'(' is no pattern"),
        # One engine takes it and the other does not.
        (policy(tag_selectors=[{"kind": "regexp", "pattern": "(?<n>a)"}]), "'(?<n>a)' is no pat"),
        (b'[{"rules": []}, {"id": 1}]', None),
        (policy()[:-1] + b"," + policy()[1:], "2 rules, where SWR has one a repository"),
    ],
)
def test_a_rule_that_cannot_be_judged_says_why(answer: bytes, problem: str | None) -> None:
    """And is none that is judged."""
    found = judged_rules(answer)
    assert found["template"] is None
    assert found["keeps"] is None
    assert (found["problem"] or "").startswith(problem or "")
    assert (found["problem"] is None) == (problem is None)


def test_an_entry_that_cannot_be_read_costs_no_other() -> None:
    """It is kept with its text."""
    good = {"tag": "v1", "created_at": "2026-03-01T00:00:00Z", "retention_id": 7, "id": 3}
    answer = json.dumps({"retention_log": [good, {"tag": 1}], "total": 2}).encode()
    (first, second), total = logged_entries(answer)
    assert total == 2
    assert (first["entry_key"], first["tag"], first["deleted_at"]) == ("3", "v1", AT)
    assert first["rule_type"] is None
    assert second["entry"] == '{"tag": 1}' == second["entry_key"]
    assert second["problem"].startswith("the entry is none of a log")


@pytest.mark.parametrize("answer", [b"", b"null", b"{}", b'{"retention_log": null, "total": 0}'])
def test_an_empty_log_has_many_forms(answer: bytes) -> None:
    """None of them is a problem."""
    assert logged_entries(answer)[0] == []


def test_a_log_that_is_none_is_kept_whole() -> None:
    """As one entry."""
    [row], _ = logged_entries(b"<html>")
    assert row["entry"] == "<html>"
    assert row["problem"].startswith("the answer is no log")


def test_any_name_can_be_an_exception(site: CrawlSite, registry: Registry) -> None:
    """It is stored as it is written, and no name is taken for a pattern."""
    for name in ("a", "b/c"):
        registry.set_retention("team", name, [])
    texts = {
        f"of-{n}": text for n, text in enumerate(["\x00", "'", '"', "\\", "é\n", "[x]", "(", "%_"])
    }
    selectors = {name: [{"kind": "label", "pattern": text}] for name, text in texts.items()}
    for name in texts:
        registry.push("team", name, "v1", manifest((name, 10)), at=AT)
        registry.set_retention("team", name, [KEEP_ONE | {"tag_selectors": selectors[name]}])
    assert site.ingest() == "complete"
    stored = site.query("select repository, pattern from ingest.retention_selectors")
    assert len(stored) == len(texts)
    assert {row["repository"]: row["pattern"] for row in stored} == texts
    rules = site.query("select repository, tag_selectors from retention_rules")
    assert len(rules) == len(texts)
    assert {row["repository"]: json.loads(row["tag_selectors"]) for row in rules} == selectors
