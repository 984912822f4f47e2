"""Examine whether a run could work: settings, endpoint, credentials, namespaces; say what to fix.

Stops at the first thing that is wrong: what comes after could not be right.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from pipelines.errors import SwrError, SwrForbidden, SwrUnauthenticated, SwrWarehouseError
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
        yield _well("endpoint", settings.endpoint)
        with Transport(settings) as transport:
            client = client_from(settings, transport)
            yield _well("credentials", f"{_way(settings)} is set")
            namespaces = client.namespaces()
        yield _well("reachable", "the endpoint answers")
        yield _well("accepted", "the credentials are valid")
        yield _visible(namespaces)
        yield _well("warehouse", str(settings.warehouse_dir.resolve()))
    except SwrUnauthenticated as error:
        yield _to_fix("accepted", f"renew or correct the credentials: {error}")
    except SwrForbidden as error:
        yield _to_fix("accepted", f"grant swr:repo:listRepos: {error}")
    except SwrError as error:
        yield _to_fix("reachable", str(error))
    except SwrWarehouseError as error:
        yield _to_fix("settings", str(error))


def _well(subject: str, text: str) -> Finding:
    return Finding(subject, is_well=True, text=text)


def _to_fix(subject: str, text: str) -> Finding:
    return Finding(subject, is_well=False, text=text)


def _visible(namespaces: list[str]) -> Finding:
    if not namespaces:
        text = "none is visible; grant these credentials rights on an organization"
        return _to_fix("namespaces", text)
    return _well("namespaces", f"{len(namespaces)}: {', '.join(namespaces)}")


def _way(settings: Settings) -> str:
    if settings.auth_token:
        return "a ready token (SWR_AUTH_TOKEN)"
    if settings.password:
        return "an IAM user's password (SWR_USERNAME)"
    return "an access key (HUAWEICLOUD_SDK_AK)"
