"""Which repositories a run reads: what the registry lists, cut to the scope, beside what was known.

Decides what to read and what to ask after; reads no tags (`crawl`) and deletes nothing (`load`).
"""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from pipelines.errors import SettingsError, SwrError
from pipelines.run.request import WILDCARD, Name, Scope
from pipelines.settings import Settings
from pipelines.swr.client import RepositoryList, SwrClient, client_from
from pipelines.swr.transport import Transport
from pipelines.swr.wire import RepositoryRecord


@dataclass
class Discovery:
    """What there is to read, to ask after, and what could not even be listed."""

    listed: dict[Name, RepositoryRecord] = field(default_factory=dict)
    unlisted: list[Name] = field(default_factory=list)
    unreachable: dict[Name, SwrError] = field(default_factory=dict)
    failed_namespaces: dict[str, SwrError] = field(default_factory=dict)
    visible_namespaces: list[str] = field(default_factory=list)
    unread_namespaces: int = 0
    unread_repositories: int = 0


def discover(
    client: SwrClient, scope: Scope, known: Iterable[Name], *, threads: int = 1
) -> Discovery:
    """List the repositories of every visible namespace in scope.

    Args:
        client: SWR.
        scope: what is asked for.
        known: repositories the warehouse has and holds for alive.
        threads: namespaces listed at the same time.

    Returns:
        `listed` are to be read; `unlisted` were known and are not in the list any more;
        `unreachable` were known in a namespace that could not be listed.

    Raises:
        SettingsError: the scope names a namespace or repository that nobody has heard of.
        SwrError: the namespaces could not be listed.
    """
    found = Discovery(visible_namespaces=client.namespaces())
    in_scope = [name for name in found.visible_namespaces if scope.has_namespace(name)]
    found.unread_namespaces = len(found.visible_namespaces) - len(in_scope)
    with ThreadPoolExecutor(threads, thread_name_prefix="discover") as pool:
        listings = pool.map(lambda namespace: _list(client, namespace), in_scope)
        for namespace, listing in zip(in_scope, listings, strict=True):
            _add_namespace(found, scope, namespace, listing)
    for name in sorted(known):
        if name in found.listed or not scope.has_repository(*name):
            continue
        error = found.failed_namespaces.get(name[0])
        if error is None:
            found.unlisted.append(name)
        else:
            found.unreachable[name] = error
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
    except SwrError as error:
        return error


def _add_namespace(
    found: Discovery, scope: Scope, namespace: str, listing: RepositoryList | SwrError
) -> None:
    if isinstance(listing, SwrError):
        found.failed_namespaces[namespace] = listing
        found.unread_namespaces += 1
        return
    found.unread_repositories += listing.unreadable
    for record in listing.records:
        if scope.has_repository(namespace, record.name):
            found.listed[namespace, record.name] = record
        else:
            found.unread_repositories += 1


def _refuse_typos(scope: Scope, found: Discovery, known: set[Name]) -> None:
    """Refuse a name without wildcards that is neither there nor was."""
    namespaces = {*found.visible_namespaces, *(namespace for namespace, _ in known)}
    for name in filter(_is_literal, scope.namespaces):
        if name not in namespaces:
            raise SettingsError(
                f"Namespace {name!r} is not visible to these credentials;"
                f" visible are: {', '.join(found.visible_namespaces) or 'none'}."
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
