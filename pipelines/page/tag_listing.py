"""A repository's tags as the registry lists them now, with all parameters of the call.

For people, and for recordings that the emulator can serve. Reads in the same order as a run, which
proves that nothing is missing; one page is asked for as it is.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from pipelines.errors import SettingsError
from pipelines.settings import Settings
from pipelines.swr.client import SwrClient
from pipelines.swr.clients import client_from
from pipelines.swr.json_parts import array_elements
from pipelines.swr.limits import Limits
from pipelines.swr.paging import CrawlOutcome, CrawlStatus, ListedRecord, Page, PageRequest
from pipelines.swr.tag_reading import read_tags
from pipelines.swr.transport import Transport

_NEVER = datetime.min.replace(tzinfo=UTC)


class ReceivedRecord(NamedTuple):
    """A record as the page told it from others, and its text as received."""

    listed: ListedRecord
    raw: bytes


@dataclass(frozen=True)
class TagListing:
    """Tag records in the order asked for, and why they may not be all, in a sentence."""

    records: Sequence[ReceivedRecord]
    doubt: str | None = None


@dataclass(frozen=True)
class TagQuestion:
    """What is asked of the tag list beside pages: `tag` is what names must hold."""

    namespace: str
    repository: str
    tag: str | None
    order_by: str
    ascending: bool
    filter_style: bool

    def page(self, client: SwrClient, offset: int, limit: int, order: Mapping[str, str]) -> Page:
        """Ask for one page."""
        parameters = {"offset": str(offset), "limit": str(limit), **order}
        parameters |= {"tag": self.tag} if self.tag else {}
        if self.filter_style:
            parameters = _as_filter(parameters)
        return client.tag_page_with(self.namespace, self.repository, parameters)

    def sort(self, records: Sequence[ReceivedRecord]) -> Sequence[ReceivedRecord]:
        """Put records in order, as the registry would."""

        def by_date(record: ReceivedRecord) -> tuple[datetime, str]:
            return record.listed.version.updated or _NEVER, record.listed.key

        def by_name(record: ReceivedRecord) -> tuple[datetime, str]:
            return _NEVER, record.listed.key

        by = by_name if self.order_by == "tag" else by_date
        return sorted(records, key=by, reverse=not self.ascending)


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
) -> TagListing:
    """Ask for a repository's tags: one page if offset and limit are given, else all.

    Raises:
        SettingsError: the name has no namespace, or only one of offset and limit is given.
        SwrError: the registry did not answer.
    """
    namespace, slash, repository = name.partition("/")
    if not (slash and namespace and repository):
        raise SettingsError(f"{name!r} names no repository; give it as NAMESPACE/REPOSITORY.")
    if (offset is None) != (limit is None):
        raise SettingsError("The API wants --offset and --limit together; give both or neither.")
    question = TagQuestion(namespace, repository, tag, order_by, ascending, filter_style)
    with Transport(settings) as transport:
        client = client_from(settings, transport)
        if offset is not None and limit is not None:
            page = question.page(client, offset, limit, _order(order_by, ascending=ascending))
            return TagListing(_received(page))
        return _all(client, question, settings.page_size)


def _all(client: SwrClient, question: TagQuestion, page_size: int) -> TagListing:
    """Read until it is proven that there are no more, whatever order they are wanted in."""
    walks: dict[int, dict[str, ReceivedRecord]] = defaultdict(dict)

    def ask(page: PageRequest) -> Page:
        order = _order("updated_at", ascending=not page.newest_first)
        return question.page(client, page.offset, page.limit, order)

    def land(walk: int, page: Page, kept: Sequence[int]) -> None:
        received = _received(page)
        walks[walk].update((received[at].listed.key, received[at]) for at in kept)

    outcome = read_tags("asked for", Limits(page_size), ask, land)
    found: dict[str, ReceivedRecord] = {}
    for number in sorted(walk for walk in walks if walk >= outcome.first_walk):
        found |= walks[number]
    doubt = _doubt(outcome) or (None if found else _doubt_of_none(client, question, outcome))
    return TagListing(question.sort([*found.values()]), doubt)


def _received(page: Page) -> list[ReceivedRecord]:
    return list(map(ReceivedRecord, page.records, array_elements(page.body)))


def _doubt_of_none(client: SwrClient, question: TagQuestion, outcome: CrawlOutcome) -> str | None:
    """Why a repository may have tags though none is listed: no total says so either."""
    if outcome.expected is not None or question.tag:
        return None
    counted = client.repository(question.namespace, question.repository).num_images
    return f"No tag is listed, but the repository counts {counted}." if counted else None


def _doubt(outcome: CrawlOutcome) -> str | None:
    if outcome.status is CrawlStatus.COMPLETE:
        return None
    total = "an unknown number" if outcome.expected is None else outcome.expected
    return (
        "These may not be all tags: the list kept changing or contradicting itself"
        f" ({outcome.received} of {total} were read)."
    )


def _order(column: str, *, ascending: bool) -> dict[str, str]:
    return {"order_column": column, "order_type": "asc" if ascending else "desc"}


def _as_filter(parameters: Mapping[str, str]) -> dict[str, str]:
    """Put all parameters into one, as the API's older pages have it."""
    return {"filter": "|".join(f"{name}::{value}" for name, value in parameters.items())}
