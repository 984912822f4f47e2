"""Keeps Arrow from importing pandas, which takes a third of a second and is of no use here.

Arrow looks once, with the first array it makes from a list, whether there is a pandas. Charts and
DuckDB import pandas by themselves; `to_pandas` of Arrow tables works no more.
"""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from types import ModuleType

import pyarrow as pa


class _NoPandas(MetaPathFinder):
    """Finds that there is no pandas."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> None:
        """Leave everything else to the others."""
        del path, target
        if fullname == "pandas":
            raise ModuleNotFoundError(name=fullname)


def _look_for_pandas_now() -> None:
    finder = _NoPandas()
    sys.meta_path.insert(0, finder)
    try:
        pa.array([0])
    finally:
        sys.meta_path.remove(finder)


_look_for_pandas_now()
