"""A repository's tags as the registry lists them now, with all parameters of the call.

For people, and for recordings that the emulator can serve. A run reads by `run.crawler`, which
proves that nothing is missing; this does not.
"""

from collections.abc import Iterator

from pipelines.errors import SettingsError
from pipelines.settings import Settings
from pipelines.swr.client import client_from
from pipelines.swr.paging import ListedRecord
from pipelines.swr.transport import Transport


def tag_records(
    settings: Settings,
    name: str,
    *,
    tag: str | None,
    order_by: str,
    ascending: bool,
    offset: int | None,
    limit: int | None,
    filter_style: bool,
) -> Iterator[ListedRecord]:
    """Ask for a repository's tags: one page if offset and limit are given, else all pages.

    Raises:
        SettingsError: the name has no namespace, or only one of offset and limit is given.
        SwrError: the registry did not answer.
    """
    namespace, slash, repository = name.partition("/")
    if not (slash and namespace and repository):
        raise SettingsError(f"{name!r} names no repository; give it as NAMESPACE/REPOSITORY.")
    if (offset is None) != (limit is None):
        raise SettingsError("The API wants --offset and --limit together; give both or neither.")
    order = {"order_column": order_by, "order_type": "asc" if ascending else "desc"}
    fixed = order | ({"tag": tag} if tag else {})
    with Transport(settings) as transport:
        client = client_from(settings, transport)
        start, size = offset or 0, limit or settings.page_size
        while True:
            parameters = {"offset": str(start), "limit": str(size), **fixed}
            encoded = _as_filter(parameters) if filter_style else parameters
            page = client.tag_page_with(namespace, repository, encoded).records
            yield from page
            start += size
            if limit is not None or len(page) < size:
                return


def _as_filter(parameters: dict[str, str]) -> dict[str, str]:
    """Put all parameters into one, as the API's older pages have it."""
    return {"filter": "|".join(f"{name}::{value}" for name, value in parameters.items())}
