"""The log of a run for machines: one line for each event, on standard error.

`progress` is for people; what is counted for good is in `ingest.runs` and
`ingest.crawls`. Lines go through the standard library's logger `swr_warehouse`, so that Dagster or
anybody else may give it handlers of their own. No field ever holds a secret.
"""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from pipelines.errors import SwrWarehouseError
from pipelines.settings import Settings

LOGGER = logging.getLogger("swr_warehouse")
# Without one, Python would write warnings as bare text where nobody asked for a log.
LOGGER.addHandler(logging.NullHandler())


@dataclass(frozen=True)
class RunLog:
    """Writes events of one run; used by many threads."""

    run_id: str

    def event(self, message: str, *, level: int = logging.INFO, **fields: object) -> None:
        """Say that something happened, with what is known of it; None is left out."""
        known = {name: value for name, value in fields.items() if value is not None}
        LOGGER.log(level, message, extra={"fields": {"run_id": self.run_id, **known}})

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Say why the run failed, if it does here; an error not of ours may say anything."""
        try:
            yield
        except Exception as error:
            sentence = str(error) if isinstance(error, SwrWarehouseError) else None
            kind = type(error).__name__
            self.event("run failed", level=logging.ERROR, step=name, kind=kind, error=sentence)
            raise


class JsonLines(logging.Formatter):
    """One JSON object a line; ASCII, so that no name can break a line or a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """Begin with what every line has."""
        line = {
            "moment": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        return json.dumps(line)


@contextmanager
def json_lines(settings: Settings) -> Iterator[None]:
    """Write to standard error as long as a run lasts, if the settings ask for JSON."""
    if settings.log_format != "json":
        yield
        return
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    before = LOGGER.level
    LOGGER.addHandler(handler)
    LOGGER.setLevel(logging.INFO)
    try:
        yield
    finally:
        LOGGER.setLevel(before)
        LOGGER.removeHandler(handler)
