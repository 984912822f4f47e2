"""Writes the page: asks the published warehouse, and puts answers, charts and code in one file.

What a registry wrote is data here and text there: nothing of it is ever markup or code.
"""

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping
from hashlib import sha256
from html import escape
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any, BinaryIO

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.warehouse.page_answers import Answer, page_answers
from pipelines.warehouse.query import writing
from pipelines.warehouse.resources import LEAST, Resources

PAGE = "warehouse.html"
_HERE = files("pipelines.page.html")
_INTERPRETER_IMPORT = "import { ascending, isString, DisallowedObjectProperties } from 'vega-util';"
_INTERPRETER_EXPORT = "export { expression as expressionInterpreter };"
# One module, in this order.
_CODE = ("answers", "tables", "charts", "sizes", "sections")
# Above it JavaScript's numbers leave some out.
_LARGEST_NUMBER = 2**53
# What could end a script, or a line of one.
_ESCAPES = {ord(letter): f"\\u{ord(letter):04x}" for letter in "<>&\u2028\u2029"}


def write_page(directory: Path, target: Path | BinaryIO, resources: Resources = LEAST) -> None:
    """Write the page of what is published; the same warehouse makes the same page.

    Args:
        directory: of the published warehouse.
        target: the file, which is there once it is whole, or a binary stream.
        resources: that asking may take.

    Raises:
        WarehouseMissing: there is none yet.
        WarehouseError: it cannot be read, or the page cannot be written.
    """
    answers = page_answers(directory, resources)
    with writing(target, "HTML") as file:
        file.write(_page(answers).encode())


def _page(answers: Mapping[str, Answer]) -> str:
    scripts = {
        "vega": _read("vendor/vega.min.js"),
        "interpreter": _as_script(_read("vendor/vega-interpreter.js")),
        "code": "\n".join(_read(f"code/{name}.js") for name in _CODE),
    }
    style = _read("page.css")
    shown = {name: {"sql": sql, "columns": _columns(rows)} for name, (sql, rows) in answers.items()}
    return Template(_read("template.html")).substitute(
        scripts,
        style=style,
        script_hashes=" ".join(map(_hash, scripts.values())),
        style_hash=_hash(style),
        data=_in_script({"answers": shown, "charts": dict(_charts())}),
        version=escape(version("swr-warehouse")),
        licenses=escape(_read("vendor/LICENSES.txt")),
    )


def _columns(table: pa.Table) -> dict[str, Any]:
    return {
        name: _values(column)
        for name, column in zip(table.column_names, table.columns, strict=True)
    }


def _values(column: "pa.ChunkedArray[Any]") -> Any:
    """The values of a column; of a text the distinct ones, and which of them each row has."""
    if pa.types.is_string(column.type):
        encoded = column.combine_chunks().dictionary_encode()
        return {"texts": encoded.dictionary.to_pylist(), "rows": encoded.indices.to_pylist()}
    if pa.types.is_integer(column.type) and _is_beyond_numbers(column):
        return [None if value is None else str(value) for value in column.to_pylist()]
    return column.to_pylist()


def _is_beyond_numbers(column: "pa.ChunkedArray[Any]") -> bool:
    largest = pc.max(pc.abs(column)).as_py()
    return largest is not None and largest > _LARGEST_NUMBER


def _charts() -> Iterator[tuple[str, Any]]:
    for path in (_HERE / "charts").iterdir():
        yield path.name.removesuffix(".json"), json.loads(path.read_text("utf-8"))


def _as_script(module: str) -> str:
    """Make a plain script of Vega's interpreter, which is published as a module only."""
    if module.count(_INTERPRETER_IMPORT) != 1 or module.count(_INTERPRETER_EXPORT) != 1:
        raise AssertionError("another release of the interpreter: adapt this function")
    names = _INTERPRETER_IMPORT[len("import ") : -len(" from 'vega-util';")]
    body = module.replace(_INTERPRETER_IMPORT, f"const {names} = vega;")
    return "{" + body.replace(_INTERPRETER_EXPORT, "vega.interpreter = expression;") + "}"


def _in_script(value: object) -> str:
    """JSON that means the same within a script element, whatever its texts are."""
    return msgspec.json.encode(value, enc_hook=str).decode().translate(_ESCAPES)


def _hash(text: str) -> str:
    """How a policy names a script or style."""
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _read(name: str) -> str:
    return (_HERE / name).read_text("utf-8")
