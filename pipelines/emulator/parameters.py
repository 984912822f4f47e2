"""Query parameters of the list calls: both spellings read, and judged as SWR judges them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from pipelines.emulator.messages import Refused, Request, backend_error


class Limits(NamedTuple):
    """Records a page: where nothing is said, and at the most."""

    default: int = 100
    maximum: int = 1000


_USUAL = Limits()


@dataclass(frozen=True)
class ListParameters:
    """What a list call asks for. `is_paged`: offset and limit were given."""

    offset: int
    limit: int
    is_paged: bool
    column: str
    descending: bool
    matching: Mapping[str, str]

    def content_range(self, rows: int, total: int) -> dict[str, str]:
        """The header `offset-rows/total`; only for those who sent offset and limit."""
        return {"Content-Range": f"{self.offset}-{rows}/{total}"} if self.is_paged else {}


def read_parameters(
    request: Request,
    columns: Collection[str] = (),
    *,
    default_column: str = "",
    limits: Limits = _USUAL,
) -> ListParameters:
    """Read the parameters of a list call.

    Raises:
        Refused: they are not acceptable.
    """
    given = effective_parameters(request)
    offset, limit = _page(given, limits)
    column, descending = read_order(given, columns, default_column)
    return ListParameters(offset, limit, "offset" in given, column, descending, given)


def effective_parameters(request: Request) -> dict[str, str]:
    """The parameters that count: those of `filter` if it is there, else the single ones.

    Raises:
        Refused: the filter is malformed.
    """
    if "filter" not in request.query:
        return request.query
    parts = [part.partition("::") for part in request.query["filter"].split("|") if part]
    if not all(separator for _, separator, _ in parts):
        raise Refused(
            backend_error(400, "4001035", "Web Bad request error: invalid filter", "filter")
        )
    return {name: value for name, _, value in parts}


def read_limit(request: Request, limits: Limits = _USUAL) -> int:
    """Read how many records a call with a marker asks for.

    Raises:
        Refused: more than there may be on a page, or no number.
    """
    text = request.query.get("limit", str(limits.default))
    if not (text.isascii() and text.isdecimal() and 0 < int(text) <= limits.maximum):
        raise _bad("4001072", "param limit error")
    return int(text)


def _page(given: Mapping[str, str], limits: Limits) -> tuple[int, int]:
    if "offset" not in given and "limit" not in given:
        return 0, limits.default
    try:
        offset, limit = int(given["offset"]), int(given["limit"])
    except (KeyError, ValueError):
        raise _bad("4001072", "param offset error") from None
    if offset < 0 or not 0 < limit <= limits.maximum:
        raise _bad("4001072", "param offset error" if offset < 0 else "param limit error")
    return offset, limit


def read_order(
    given: Mapping[str, str], columns: Collection[str], default_column: str
) -> tuple[str, bool]:
    """Read by which column, and whether descending; the default column is.

    Raises:
        Refused: there is no such order.
    """
    if "order_column" not in given and "order_type" not in given:
        return default_column, True
    column, order = given.get("order_column"), given.get("order_type")
    if column not in columns or order not in {"asc", "desc"}:
        raise _bad("4001096", "param order column error")
    return str(column), order == "desc"


def _bad(code: str, problem: str) -> Refused:
    detail = "Invalid parameter in filter"
    return Refused(backend_error(400, code, f"Web Bad request error: {problem}", detail))
