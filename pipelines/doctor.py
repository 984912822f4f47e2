"""Examine whether a run could work: settings, endpoint, credentials, namespaces; say what to fix.

Stops at the first thing that is wrong: what comes after could not be right.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pipelines.errors import SwrForbidden, SwrUnauthenticated, SwrUnavailable, SwrWarehouseError
from pipelines.settings import Settings, read_settings
from pipelines.swr.client import client_from
from pipelines.swr.transport import Transport


@dataclass(frozen=True)
class Finding:
    """One thing examined: whether it is well, and what was found or what to do."""

    subject: str
    is_well: bool
    text: str


def examine() -> Iterator[Finding]:
    """Examine one thing after the other, until one is not well."""
    try:
        settings = read_settings()
        yield Finding("endpoint", is_well=True, text=settings.endpoint)
        with Transport(settings) as transport:
            client = client_from(settings, transport)
            yield Finding("credentials", is_well=True, text=f"{_way(settings)} is set")
            yield from _ask(client.namespaces)
        yield Finding("warehouse", is_well=True, text=str(settings.warehouse_dir.resolve()))
    except SwrWarehouseError as error:
        yield Finding("settings", is_well=False, text=str(error))


def _ask(namespaces: Callable[[], list[str]]) -> Iterator[Finding]:
    """Ask the endpoint for its namespaces: that tells the rest."""
    try:
        visible = namespaces()
    except SwrUnauthenticated as error:
        yield Finding("accepted", is_well=False, text=f"renew or correct the credentials: {error}")
    except SwrForbidden as error:
        yield Finding("accepted", is_well=False, text=f"grant swr:repo:listRepos: {error}")
    except SwrUnavailable as error:
        yield Finding("reachable", is_well=False, text=str(error))
    else:
        yield Finding("reachable", is_well=True, text="the endpoint answers")
        yield Finding("accepted", is_well=True, text="the credentials are valid")
        yield _visible(visible)


def _visible(namespaces: list[str]) -> Finding:
    if not namespaces:
        text = "none is visible; grant these credentials rights on an organization"
        return Finding("namespaces", is_well=False, text=text)
    return Finding("namespaces", is_well=True, text=f"{len(namespaces)}: {', '.join(namespaces)}")


def _way(settings: Settings) -> str:
    if settings.auth_token:
        return "a ready token (SWR_AUTH_TOKEN)"
    if settings.password:
        return "an IAM user's password (SWR_USERNAME)"
    return "an access key (HUAWEICLOUD_SDK_AK)"
