"""Examine whether a run could work: settings, endpoint, credentials, namespaces; say what to fix.

Stops at the first thing that is wrong: what comes after could not be right.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from pipelines.errors import SwrError, SwrForbidden, SwrUnauthenticated, SwrWarehouseError
from pipelines.registries import read_one
from pipelines.registry.login import log_in
from pipelines.settings import Settings, unknown_names
from pipelines.swr.client import SwrClient
from pipelines.swr.clients import client_from
from pipelines.swr.transport import Transport

_SOURCES = {
    "ecs-agency": "the agency of this machine",
    "cce-pod": "the identity of this pod",
    "file": "the SDKs' credentials file",
}


@dataclass(frozen=True)
class Finding:
    """One thing examined: whether it is well, and what was found or what to do."""

    subject: str
    is_ok: bool
    text: str


def examine(registry: str | None = None) -> Iterator[Finding]:
    """Examine one thing after the other, until one is not well; of several, this registry's."""
    try:
        settings = read_one(registry)
        for name in unknown_names():
            yield _ok("settings", f"{name} is no setting of swr-warehouse and is ignored")
        yield _ok("endpoint", settings.endpoint)
        with Transport(settings) as transport:
            client = client_from(settings, transport)
            yield _ok("credentials", f"{_credential_source(settings)} is set")
            namespaces = client.namespaces()
            yield _ok("reachable", "the endpoint answers")
            yield _ok("accepted", "the credentials are valid")
            yield _visible(namespaces)
            yield _pulling(settings, client)
            yield _rules(settings, client, namespaces)
        yield _ok("warehouse", str(settings.warehouse_dir.resolve()))
    except SwrUnauthenticated as error:
        yield _problem("accepted", f"renew or correct the credentials: {error}")
    except SwrForbidden as error:
        yield _problem("accepted", f"grant swr:repo:listRepos: {error}")
    except SwrError as error:
        yield _problem("reachable", str(error))
    except SwrWarehouseError as error:
        yield _problem("settings", str(error))


def _ok(subject: str, text: str) -> Finding:
    return Finding(subject, is_ok=True, text=text)


def _problem(subject: str, text: str) -> Finding:
    return Finding(subject, is_ok=False, text=text)


def _visible(namespaces: list[str]) -> Finding:
    if not namespaces:
        text = "none is visible; grant these credentials rights on an organization"
        return _problem("namespaces", text)
    return _ok("namespaces", f"{len(namespaces)}: {', '.join(namespaces)}")


def _pulling(settings: Settings, client: SwrClient) -> Finding:
    """Whether what the tag lists leave out can be pulled; most figures do without."""
    if settings.resolve == "off":
        return _ok("pulling", "off (SWR_RESOLVE)")
    try:
        login = log_in(client, settings.project_name or settings.region)
    except SwrForbidden as error:
        text = f"not granted: without swr::createLoginSecret some figures are bounds ({error})"
        return Finding("pulling", is_ok=settings.resolve == "auto", text=text)
    except SwrError as error:
        return Finding("pulling", is_ok=settings.resolve == "auto", text=f"no login: {error}")
    return _ok("pulling", f"a temporary login for {login.host} is granted")


def _rules(settings: Settings, client: SwrClient, namespaces: list[str]) -> Finding:
    """Whether retention rules can be read, by the first repository there is."""
    if not settings.read_rules:
        return _ok("rules", "off (SWR_READ_RULES)")
    names = (
        (namespace, record.name)
        for namespace in namespaces
        for record in client.repositories(namespace).records
    )
    first = next(names, None)
    if first is None:
        return _ok("rules", "there is no repository that could have any")
    try:
        client.retention_rules(*first)
        client.retention_log(*first, 0, 1)
    except SwrUnauthenticated:
        raise
    except SwrError as error:
        return _ok("rules", f"not shown, and runs go on without: {error}")
    return _ok("rules", f"those of {'/'.join(first)} are shown")


def _credential_source(settings: Settings) -> str:
    if settings.credentials:
        return f"{_SOURCES[settings.credentials]} (SWR_CREDENTIALS={settings.credentials})"
    if settings.auth_token:
        return "a ready token (SWR_AUTH_TOKEN)"
    if settings.password:
        return "an IAM user's password (SWR_USERNAME)"
    return "an access key (HUAWEICLOUD_SDK_AK)"
