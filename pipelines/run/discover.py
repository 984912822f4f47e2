"""Which repositories a run reads: what the registry lists, cut to the scope, beside what was known.

Decides what to read and what to ask after; reads no tags (`crawl`) and deletes nothing (`load`).
"""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import StrEnum

from pipelines.errors import SettingsError, SwrError, SwrUnauthenticated
from pipelines.run.request import WILDCARD, Name, Scope
from pipelines.settings import Settings
from pipelines.swr.client import SwrClient
from pipelines.swr.clients import client_from
from pipelines.swr.repository_list import RepositoryList
from pipelines.swr.transport import Transport
from pipelines.swr.wire import RepositoryRecord


class ListStatus(StrEnum):
    """How listing a namespace went; the values of `ingest.namespaces.list_status`."""

    COMPLETE = "complete"
    INCOMPLETE = "incomplete"
    FAILED = "failed"
    NOT_ASKED = "not_asked"


@dataclass(frozen=True)
class NamespaceListing:
    """How listing a visible namespace went. `unreadable` counts records without a name."""

    status: ListStatus
    unreadable: int = 0
    error: str | None = None


@dataclass
class Discovery:
    """What the registry lists, what there is to read and to ask after.

    `listed` are repositories in scope, `outside` those that are not; `unlisted` were known and are
    in no list any more; `unreachable` were known and their namespace could not be listed.
    """

    namespaces: dict[str, NamespaceListing] = field(default_factory=dict)
    listed: dict[Name, RepositoryRecord] = field(default_factory=dict)
    outside: dict[Name, RepositoryRecord] = field(default_factory=dict)
    unlisted: list[Name] = field(default_factory=list)
    unreachable: list[Name] = field(default_factory=list)

    def list_status(self, namespace: str) -> ListStatus:
        """How complete the list is that should show a repository of this namespace.

        The list of namespaces is always complete: one that it does not show has no repository.
        """
        listing = self.namespaces.get(namespace)
        return listing.status if listing else ListStatus.COMPLETE

    def is_listed(self, name: Name) -> bool | None:
        """Whether the list shows a repository; None where a list may be short of it."""
        if name in self.listed:
            return True
        return False if self.list_status(name[0]) is ListStatus.COMPLETE else None

    def count(self, *statuses: ListStatus) -> int:
        """Visible namespaces with one of these statuses."""
        return sum(listing.status in statuses for listing in self.namespaces.values())

    @property
    def failed_namespaces(self) -> dict[str, str]:
        """Why namespaces in scope could not be listed, or not completely."""
        return {name: listing.error for name, listing in self.namespaces.items() if listing.error}

    @property
    def unread_repositories(self) -> int:
        """Listed repositories that this run does not read."""
        unreadable = sum(listing.unreadable for listing in self.namespaces.values())
        return len(self.outside) + unreadable


def discover(
    client: SwrClient, scope: Scope, known: Iterable[Name], *, threads: int = 1
) -> Discovery:
    """List the repositories of every visible namespace in scope.

    Args:
        client: SWR.
        scope: what is asked for.
        known: repositories the warehouse has and holds for alive.
        threads: namespaces listed at the same time.

    Raises:
        SettingsError: the scope names a namespace or repository that nobody has heard of.
        SwrError: the namespaces could not be listed.
    """
    visible = client.namespaces()
    found = Discovery(dict.fromkeys(visible, NamespaceListing(ListStatus.NOT_ASKED)))
    in_scope = [name for name in visible if scope.has_namespace(name)]
    with ThreadPoolExecutor(threads, thread_name_prefix="discover") as pool:
        lists = pool.map(lambda namespace: _list(client, namespace), in_scope)
        for namespace, listed in zip(in_scope, lists, strict=True):
            _add_namespace(found, scope, namespace, listed)
    for name in sorted(known):
        if name not in found.listed and scope.has_repository(*name):
            status = found.list_status(name[0])
            (found.unreachable if status is ListStatus.FAILED else found.unlisted).append(name)
    _refuse_typos(scope, found, set(known))
    return found


def visible_namespaces(settings: Settings) -> list[str]:
    """Every namespace the credentials can see, sorted.

    Raises:
        SettingsError: endpoint or credentials are missing.
        SwrError: the registry did not answer.
    """
    with Transport(settings) as transport:
        return client_from(settings, transport).namespaces()


def _list(client: SwrClient, namespace: str) -> RepositoryList | SwrError:
    try:
        return client.repositories(namespace)
    except SwrUnauthenticated:
        # Whatever else is asked for would be refused too.
        raise
    except SwrError as error:
        return error


def _add_namespace(
    found: Discovery, scope: Scope, namespace: str, listed: RepositoryList | SwrError
) -> None:
    if isinstance(listed, SwrError):
        found.namespaces[namespace] = NamespaceListing(ListStatus.FAILED, error=str(listed))
        return
    status = ListStatus.COMPLETE if listed.is_complete else ListStatus.INCOMPLETE
    found.namespaces[namespace] = NamespaceListing(
        status, listed.unreadable, None if listed.is_complete else _why_incomplete(listed)
    )
    for record in listed.records:
        is_in_scope = scope.has_repository(namespace, record.name)
        (found.listed if is_in_scope else found.outside)[namespace, record.name] = record


def _why_incomplete(listed: RepositoryList) -> str:
    total = "an unknown number" if listed.total is None else listed.total
    return f"the list of repositories gives {listed.received} of {total}, however often it is read"


def _refuse_typos(scope: Scope, found: Discovery, known: set[Name]) -> None:
    """Refuse a name without wildcards that is neither there nor was."""
    namespaces = {*found.namespaces, *(namespace for namespace, _ in known)}
    for name in filter(_is_literal, scope.namespaces):
        if name not in namespaces:
            raise SettingsError(
                f"Namespace {name!r} is not visible to these credentials;"
                f" visible are: {', '.join(found.namespaces) or 'none'}."
            )
    repositories = {f"{owner}/{name}" for owner, name in {*found.listed, *known}}
    for name in filter(_is_literal, scope.repositories):
        if name not in repositories and name.split("/", 1)[0] not in found.failed_namespaces:
            raise SettingsError(
                f"Repository {name!r} was not found; give it as NAMESPACE/REPOSITORY, within the"
                " namespaces read."
            )


def _is_literal(glob: str) -> bool:
    return not glob.startswith("!") and not WILDCARD.search(glob)


def largest_first(listed: Mapping[Name, RepositoryRecord]) -> list[Name]:
    """RunRequest repositories so that the longest reading starts first."""
    return sorted(listed, key=lambda name: (-(listed[name].num_images or 0), name))
