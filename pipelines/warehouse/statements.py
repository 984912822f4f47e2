"""The statements of sql/load. The tens of a file's number are its step."""

from enum import IntEnum
from functools import cache
from importlib.resources import files

from duckdb import DuckDBPyConnection

_FOLDER = files("sql") / "load"


class Step(IntEnum):
    """Steps of a load, by the first digit of their files' numbers."""

    BEGIN = 0
    CHOICE = 1
    IMAGES = 2
    PLAN = 3
    CHUNK = 4
    FINISH = 5


def run_step(con: DuckDBPyConnection, step: Step) -> None:
    """Execute the files of a step in the order of their names."""
    for name in _numbered():
        if name.startswith(str(int(step))):
            con.execute(statement(name))


@cache
def statement(name: str) -> str:
    """Text of sql/load/<name>.sql."""
    return (_FOLDER / f"{name}.sql").read_text("utf-8")


@cache
def _numbered() -> list[str]:
    return sorted(file.name.removesuffix(".sql") for file in _FOLDER.iterdir())
