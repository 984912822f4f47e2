"""What the registry's pull API answered, on disk, until a state holds it.

Unlike the pages of a crawl, an answer is true for ever: its digest says so. So these files belong
to no run. They are written as answers arrive, every run loads those that are there, and they go
once the state knows what is in them.
"""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import pyarrow as pa

from pipelines.errors import LandingError
from pipelines.landing.files import read_table, write_table
from pipelines.landing.writer import part_number
from pipelines.schemas import LANDED_PULLS

# So much may be asked for once more after a run was killed.
_SECONDS = 0.5
_BYTES = 8 * 2**20
_ROWS = 2000


class PulledAnswers:
    """The parts in a folder, `answers-N.parquet`: rows of LANDED_PULLS. Of one thread."""

    def __init__(self, folder: Path, clock: Callable[[], float]) -> None:
        """Prepare to write parts after those that are there."""
        self._folder = folder
        self._clock = clock
        self._waiting: list[dict[str, Any]] = []
        self._bytes = 0
        self._written_at = clock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Write what waits, whatever happened: it need not be asked for again."""
        self.flush()

    def parts(self) -> list[Path]:
        """The parts, in the order they were written."""
        return sorted(self._folder.glob("answers-*.parquet"))

    def read(self, part: Path) -> pa.Table:
        """The rows of a part; one that cannot be read is removed, for it can be asked again."""
        try:
            return read_table(part, LANDED_PULLS)
        except LandingError:
            self.remove(part)
            return LANDED_PULLS.empty_table()

    def remove(self, part: Path) -> None:
        """Remove a part that a state holds."""
        with suppress(FileNotFoundError):
            part.unlink()

    def add(self, answer: dict[str, Any]) -> None:
        """Keep an answer, a row of LANDED_PULLS."""
        self._waiting.append(answer)
        self._bytes += len(answer["body"] or b"")
        is_large = self._bytes >= _BYTES or len(self._waiting) >= _ROWS
        if is_large or self._clock() - self._written_at >= _SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write what waits as a part.

        Raises:
            LandingError: it cannot be written.
        """
        self._written_at = self._clock()
        if not self._waiting:
            return
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        number = 1 + max((part_number(part) for part in self.parts()), default=0)
        rows = pa.Table.from_pylist(self._waiting, schema=LANDED_PULLS)
        write_table(self._folder / f"answers-{number:06}.parquet", rows)
        self._waiting, self._bytes = [], 0


def folder_of(directory: Path) -> Path:
    """Where the answers of a warehouse directory are."""
    return directory / "pulls"
