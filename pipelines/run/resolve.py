"""The third step of a run: ask the registry for what the tag lists leave out.

    children of indexes, texts that did not verify, sizes that no manifest states, configurations

Each digest is asked for once. Answers are on disk as they arrive (`landing.pulls`), and are loaded
as any manifest is. What is missing is SQL (`warehouse.pulls`); who answers, `pipelines.registry`.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby, islice
from queue import SimpleQueue
from typing import Any

import pyarrow as pa
from duckdb import DuckDBPyConnection

from pipelines.errors import (
    SwrError,
    SwrForbidden,
    SwrUnauthenticated,
    SwrUnavailable,
    SwrUnknownPath,
)
from pipelines.images.configs import config_tables
from pipelines.images.digests import is_digest_of
from pipelines.images.manifest import read_manifest
from pipelines.images.tables import image_tables
from pipelines.images.text_choice import TextChoice
from pipelines.landing.pulls import PulledAnswers, folder_of
from pipelines.registry.client import RegistryClient
from pipelines.registry.login import log_in
from pipelines.run.clock import present
from pipelines.run.log import RunLog
from pipelines.run.progress import Progress
from pipelines.schemas import LANDED_PULLS
from pipelines.settings import Settings
from pipelines.swr.client import SwrClient
from pipelines.swr.clients import client_from
from pipelines.swr.json_parts import LARGEST_TEXT
from pipelines.swr.transport import Transport
from pipelines.warehouse import load, pulls
from pipelines.warehouse.building import connect_building
from pipelines.warehouse.known import latest_run
from pipelines.warehouse.pulls import Due
from pipelines.warehouse.resources import resources_of

_ACTION = "swr::createLoginSecret"
_NOT_FOUND = 404
# So many in a row say that the registry is down, and each was tried for minutes.
_FAILURES_IN_A_ROW = 3
_LOADED_AT_A_TIME = 2000
# So many answers may wait to be taken, in memory.
_ASKED_AHEAD = 500


@dataclass
class Resolved:
    """What a resolve came to: answers by kind and outcome, and what is still to be asked for."""

    answers: Counter[tuple[str, str]] = field(default_factory=Counter)
    left: int | None = 0
    problem: str | None = None


def resolve(settings: Settings, run_id: str, progress: Progress) -> Resolved:
    """Ask for what is missing and load it into the building file.

    Raises:
        SwrError: the registry cannot be asked, and SWR_RESOLVE is `required`.
        WarehouseError: the building file cannot be read or written.
    """
    resolved = Resolved()
    directory = settings.warehouse_dir
    with (
        PulledAnswers(folder_of(directory), time.monotonic) as answers,
        connect_building(directory, resources_of(settings).half()) as con,
    ):
        run = latest_run(con)
        if run is None:
            return resolved
        loader = _Loader(con, run["registry"], run["run_id"], run["as_of"])
        loader.take_up(answers)
        if settings.resolve == "off":
            resolved = Resolved(left=None, problem="SWR_RESOLVE is off")
        else:
            _Resolver(settings, loader, answers, progress, RunLog(run_id), resolved).run()
        pulls.store_outcome(con, run["run_id"], resolved.left, resolved.problem)
    return resolved


@dataclass
class _Loader:
    """Loads answers into the building file."""

    con: DuckDBPyConnection
    registry: str
    run_id: str
    as_of: datetime

    def __post_init__(self) -> None:
        load.begin(self.con, self.registry)
        pulls.begin(self.con)

    def take_up(self, answers: PulledAnswers) -> None:
        """Load what earlier runs were answered and no state holds; remove what one does."""
        for part in answers.parts():
            rows = answers.read(part)
            if pulls.unknown_answers(self.con, rows):
                self.load(rows)
            else:
                answers.remove(part)

    def load(self, rows: pa.Table) -> None:
        """Load LANDED_PULLS."""
        for start in range(0, rows.num_rows, _LOADED_AT_A_TIME):
            some = rows.slice(start, _LOADED_AT_A_TIME)
            read = [row for row in some.to_pylist() if row["outcome"] == "read"]
            texts = [
                (row["digest"], row["body"].decode()) for row in read if row["kind"] == "manifest"
            ]
            choice = TextChoice(load.final_digests(self.con, [digest for digest, _ in texts]))
            found = [*choice.choose(texts, "pull"), *choice.undecided()]
            load.load_images(self.con, image_tables(found), self.as_of)
            configs = config_tables(
                (row["digest"], row["body"]) for row in read if row["kind"] == "config"
            )
            pulls.store_answers(self.con, some, *configs, self.run_id)


@dataclass
class _Resolver:
    """Asks in waves: what a wave brings may name more."""

    settings: Settings
    loader: _Loader
    answers: PulledAnswers
    progress: Progress
    log: RunLog
    resolved: Resolved
    began: datetime = field(default_factory=present)

    def run(self) -> None:
        """Ask until nothing is missing, or as much as may be asked for."""
        if self.settings.read_configs:
            pulls.share_configs(self.loader.con)
        due = self._due(self.settings.resolve_limit)
        if not due:
            return
        with (
            Transport(self.settings) as transport,
            Transport(self.settings, pace="pulls", is_one_login=False) as pulling,
        ):
            swr = client_from(self.settings, transport)
            try:
                login = log_in(swr, self.settings.project_name or self.settings.region)
            except SwrError as error:
                self._give_up(error, len(due))
                return
            asker = _Asker(RegistryClient(login, pulling, self.settings), swr)
            self._ask_in_waves(due, asker)
        self._tell(asker)

    def _due(self, limit: int) -> list[Due]:
        # From the beginning of this run, which asks for nothing twice.
        retried = self.began - timedelta(days=self.settings.resolve_retry_days)
        return pulls.due_pulls(
            self.loader.con,
            self.loader.registry,
            asked_after=retried,
            limit=limit,
            configs=self.settings.read_configs,
        )

    def _ask_in_waves(self, due: list[Due], asker: "_Asker") -> None:
        left = self.settings.resolve_limit
        while due:
            self.progress.resolving(len(due), self.answers.flush)
            answers = self._asked(due, asker)
            while rows := list(islice(answers, _LOADED_AT_A_TIME)):
                # Meanwhile the registry goes on to answer.
                self.loader.load(pa.Table.from_pylist(rows, schema=LANDED_PULLS))
            pulls.skip(self.loader.con, asker.skipped)
            asker.skipped.clear()
            left -= len(due)
            due = self._due(left) if left > 0 and not asker.is_stopped else []
        self.resolved.left = len(self._due(1_000_000_000))

    def _asked(self, due: Sequence[Due], asker: "_Asker") -> Iterator[dict[str, Any]]:
        """Ask for some things at the same time; give the answers, which then are on disk."""
        pool = ThreadPoolExecutor(self.settings.concurrency, thread_name_prefix="resolve")
        done: SimpleQueue[Future[dict[str, Any] | None]] = SimpleQueue()
        waiting = _side_by_side(due, self.settings.concurrency)
        try:
            for one in islice(waiting, _ASKED_AHEAD):
                pool.submit(asker.ask, one).add_done_callback(done.put)
            for _ in due:
                answer = done.get().result()
                for one in islice(waiting, 1):
                    pool.submit(asker.ask, one).add_done_callback(done.put)
                self.progress.resolved()
                if answer is not None:
                    self.answers.add(answer)
                    self.resolved.answers[answer["kind"], answer["outcome"]] += 1
                    yield answer
        finally:
            pool.shutdown(cancel_futures=True)

    def _give_up(self, error: SwrError, count: int) -> None:
        """Go on without asking, as far as the settings allow."""
        if self.settings.resolve == "required":
            raise error
        lacks = f"the credentials lack {_ACTION}" if isinstance(error, SwrForbidden) else str(error)
        self.resolved.left, self.resolved.problem = count, lacks
        self._say(
            f"{count} manifests or sizes that the tag lists leave out stay unknown, so figures"
            f" that depend on them are bounds: {lacks}."
        )

    def _tell(self, asker: "_Asker") -> None:
        """Say what could not be asked for."""
        error = asker.first_error
        if error and self.settings.resolve == "required":
            raise error
        if error:
            self.resolved.problem = str(error)
            self._say(f"{self.resolved.left} manifests or sizes could not be pulled: {error}")
        elif self.resolved.left:
            self._say(
                f"{self.resolved.left} manifests or sizes are left for the next run:"
                f" SWR_RESOLVE_LIMIT is {self.settings.resolve_limit}."
            )

    def _say(self, sentence: str) -> None:
        self.log.event("not all resolved", level=logging.WARNING, error=sentence)
        self.progress.notice(sentence)


class _Asker:
    """Asks for one thing after the other, from many threads.

    Attributes:
        skipped: what could not be asked for this time.
        first_error: why the first of these could not; None if all could.
        is_stopped: whether the registry answers nothing any more.
    """

    def __init__(self, client: RegistryClient, swr: SwrClient) -> None:
        self._client = client
        self._swr = swr
        self._has_tag_configs = True
        self._lock = threading.Lock()
        self._closed: set[str] = set()
        self._failures = 0
        self.skipped: list[Due] = []
        self.first_error: SwrError | None = None

    @property
    def is_stopped(self) -> bool:
        """Whether several requests in a row got no answer, each after many attempts."""
        return self._failures >= _FAILURES_IN_A_ROW

    def ask(self, due: Due) -> dict[str, Any] | None:
        """Ask for one thing; its answer is a row of LANDED_PULLS, None where there was none."""
        if self.is_stopped or due.name in self._closed:
            self._skip(due, None)
            return None
        asked_at = present()
        try:
            answer = self._answer(due)
        except SwrError as error:
            if error.status != _NOT_FOUND:
                self._skip(due, error)
                return None
            answer = {"outcome": "missing", "detail": error.problem}
        self._failures = 0
        whole = dict.fromkeys(LANDED_PULLS.names) | _asked_for(due) | {"asked_at": asked_at}
        return whole | answer

    def _answer(self, due: Due) -> dict[str, Any]:
        if due.kind == "blob":
            size = self._client.blob_size(due.name, due.digest)
            return {"outcome": "read", "size_bytes": size}
        if due.kind == "manifest":
            body = self._client.manifest(due.name, due.digest)
        else:
            body = self._tag_config(due) or self._client.blob(due.name, due.digest)
        if problem := _problem(due, body):
            return {"outcome": "wrong", "detail": problem}
        return {"outcome": "read", "size_bytes": len(body), "body": body}

    def _tag_config(self, due: Due) -> bytes | None:
        """The configuration as SWR itself shows it, which is no pull; None where it does not."""
        if due.tag is None or not self._has_tag_configs:
            return None
        try:
            body = self._swr.tag_config(due.namespace, due.repository, due.tag)
        except SwrUnknownPath:
            self._has_tag_configs = False
            return None
        except SwrError:
            return None
        return body if is_digest_of(due.digest, body) else None

    def _skip(self, due: Due, error: SwrError | None) -> None:
        with self._lock:
            self.skipped.append(due)
            self.first_error = self.first_error or error
            if isinstance(error, SwrUnavailable):
                self._failures += 1
            elif isinstance(error, SwrUnauthenticated | SwrForbidden):
                self._closed.add(due.name)


def _side_by_side(due: Sequence[Due], count: int) -> Iterator[Due]:
    """In the order given, but so many repositories at a time: all wait for one's token else."""
    repositories = [iter([*some]) for _, some in groupby(due, key=lambda one: one.name)]
    while repositories:
        now = repositories[:count]
        for own in now:
            if (one := next(own, None)) is None:
                repositories.remove(own)
            else:
                yield one


def _asked_for(due: Due) -> dict[str, Any]:
    return {
        "kind": due.kind,
        "digest": due.digest,
        "namespace": due.namespace,
        "repository": due.repository,
    }


def _problem(due: Due, body: bytes) -> str | None:
    """Why a body is not what was asked for; None if it is."""
    if len(body) > LARGEST_TEXT:
        return "what the registry gives is larger than 32 MB"
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return "what the registry gives is no text"
    if due.kind == "manifest":
        is_right = read_manifest(text, due.digest, "pull").digest_verified
    else:
        is_right = is_digest_of(due.digest, body)
    return None if is_right else "what the registry gives has another digest"
