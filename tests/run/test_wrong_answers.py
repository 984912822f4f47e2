"""One repository's wrong answers cost that repository, and are told in one sentence."""

from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
import stamina
from leftovers import leaks, left_in
from plain_run import run_steps
from wrong_answers import TOKEN, UNUSUAL, WRONG, Answer, answering, wrong_registry

from pipelines.emulator.messages import Request
from pipelines.settings import Settings, read_settings

ATTEMPTS = 2


def settings_for(url: str, directory: Path) -> Settings:
    """Little patience, and small answers."""
    return read_settings(
        endpoint_setting=url,
        auth_token=TOKEN,
        timeout_seconds=1,
        requests_per_second=0,
        concurrency=16,
        max_answer_mb=2,
        warehouse_dir=directory,
    )


def of_tags(answers: dict[str, Answer]) -> Callable[[Request], Answer | None]:
    """The wrong answer of a repository's tags, by its name."""

    def wrong(request: Request) -> Answer | None:
        match request.segments:
            case (*_, "wrong", "repos", name, "tags"):
                return answers[name]
        return None

    return wrong


def crawls(directory: Path) -> dict[tuple[str, str], tuple[str, str | None]]:
    """How the reading of each repository ended, and why."""
    with duckdb.connect(directory / "warehouse.duckdb", read_only=True) as con:
        con.execute("select namespace, repository, status, error from ingest.crawls")
        return {(owner, name): (status, error) for owner, name, status, error in con.fetchall()}


def test_each_wrong_answer_costs_one_repository(tmp_path: Path) -> None:
    """Every other one is read; what is unusual only is read too; no sentence says too much."""
    answers = {**WRONG, **UNUSUAL}
    assert len(WRONG) > 100
    with (
        answering(wrong_registry(answers), of_tags(answers)) as url,
        stamina.set_testing(True, attempts=ATTEMPTS),
    ):
        run_steps(settings_for(url, tmp_path))
    found = crawls(tmp_path)
    read = {name for name, (status, _) in found.items() if status == "complete"}
    assert read == {*(("fair", name) for name in "abc"), *(("wrong", name) for name in UNUSUAL)}
    for name in WRONG:
        judge(found["wrong", name][1])
    assert leaks(left_in(tmp_path), {"token": TOKEN}) == []


def judge(sentence: str | None) -> None:
    """One line that shows no control character and no secret, and is of bearable length."""
    assert sentence is not None
    assert sentence.isprintable(), sentence
    assert len(sentence) < 600
    assert not any(TOKEN[at : at + 8] in sentence for at in range(len(TOKEN) - 7)), sentence


@pytest.mark.soak
@pytest.mark.parametrize("name", WRONG)
def test_each_wrong_list_costs_one_namespace(tmp_path: Path, name: str) -> None:
    """The list of repositories of a namespace answered wrongly."""

    def wrong(request: Request) -> Answer | None:
        is_wrong = request.path == "/v2/manage/repos" and request.query["namespace"] == "wrong"
        return WRONG[name] if is_wrong else None

    with (
        answering(wrong_registry(["a"]), wrong) as url,
        stamina.set_testing(True, attempts=ATTEMPTS),
    ):
        run_steps(settings_for(url, tmp_path))
    assert crawls(tmp_path) == {("fair", name): ("complete", None) for name in "abc"}
    with duckdb.connect(tmp_path / "warehouse.duckdb", read_only=True) as con:
        con.execute("select list_status, error from ingest.namespaces where namespace = 'wrong'")
        ((status, error),) = con.fetchall()
    assert status == "failed"
    judge(error)
