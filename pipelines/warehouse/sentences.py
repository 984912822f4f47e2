"""Find the sentences of sql/ that this room runs, whose names and order are those of its files."""

from functools import cache
from importlib.resources import files

from duckdb import DuckDBPyConnection


@cache
def sentence(folder: str, name: str) -> str:
    """Text of sql/<folder>/<name>.sql."""
    return (files("sql") / folder / f"{name}.sql").read_text("utf-8")


def run_step(con: DuckDBPyConnection, step: str) -> None:
    """Execute the files of sql/load/<step> in the order of their names."""
    for text in _step(step):
        con.execute(text)


@cache
def _step(step: str) -> list[str]:
    folder = files("sql") / "load" / step
    found = [file for file in folder.iterdir() if file.name.endswith(".sql")]
    return [file.read_text("utf-8") for file in sorted(found, key=lambda file: file.name)]
