"""A run without Dagster, which takes longer to start than these runs take."""

import os
import uuid
from collections.abc import Callable, Mapping

from pipelines.registries import read_one
from pipelines.run.ingest import Step, ingest
from pipelines.run.progress import NoProgress, Progress
from pipelines.run.request import RunRequest, Scope
from pipelines.settings import Settings

STAGES = (Step.CRAWL, Step.LOAD, Step.BUILD, Step.PUBLISH)


def run_steps(
    settings: Settings,
    *,
    enter: Callable[[str], None] = lambda _: None,
    progress: Progress | None = None,
) -> str:
    """Run every step; return the run's identifier.

    Args:
        settings: of the run.
        enter: called with the name of each of the STAGES before it, and with "published" at last.
        progress: hears what happens; nobody by default.
    """

    def enter_stage(step: Step) -> None:
        if step in STAGES:
            enter(step.value)

    request = RunRequest(str(uuid.uuid4()), full=False, scope=Scope())
    ingest(settings, request, progress or NoProgress(), enter=enter_stage)
    enter("published")
    return request.run_id


def run_one_of_several(name: str, environment: Mapping[str, str]) -> None:
    """Run every step for one registry, in a process that has another environment."""
    os.environ.update(environment)
    run_steps(read_one(name))
