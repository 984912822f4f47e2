"""Which registry a run reads: the host of its endpoint and, where known, the account.

Two registries never share a warehouse directory: one would take the other's repositories for gone.
`pipelines.registries` gives each of several its own.
"""

import re
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from ipaddress import ip_address
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pipelines.errors import OtherRegistry, SwrError
from pipelines.landing.reader import read_pages
from pipelines.run.request import Name
from pipelines.settings import Settings
from pipelines.swr.client import SwrClient
from pipelines.swr.json_parts import array_elements
from pipelines.swr.wire import read_record

LOOPBACK = "loopback"
_REGION_IN_HOST = re.compile(r"swr(?:-api)?\.([a-z0-9-]+)\.[a-z0-9.-]+")
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class RegistryIdentity:
    """A registry. `endpoint` is its host, `domain` its account's id, None while unknown.

    An instance of the enterprise edition is told by its id as well: `host/id`.
    """

    name: str
    endpoint: str
    region: str | None
    domain: str | None

    def known_as(self, stored: Self | None) -> Self:
        """The same registry under the name and with the account that are stored of it."""
        if stored is None:
            return self
        return replace(self, name=stored.name, domain=self.domain or stored.domain)

    def __str__(self) -> str:
        """Name it in a sentence."""
        return f"{self.endpoint}, account {self.domain}" if self.domain else self.endpoint


def identify(settings: Settings) -> RegistryIdentity:
    """Tell the registry from the settings; its account is unknown to them.

    Raises:
        SettingsError: no endpoint is set.
    """
    endpoint = _host(settings.endpoint)
    found = _REGION_IN_HOST.fullmatch(endpoint)
    region = settings.region or (found[1] if found else None)
    usual = region or ("localhost" if endpoint == LOOPBACK else endpoint)
    if settings.instance_id:
        usual, endpoint = settings.instance_id, f"{endpoint}/{settings.instance_id}"
    return RegistryIdentity(settings.registry or usual, endpoint, region, domain=None)


def refuse_another(
    stored: RegistryIdentity | None,
    read: RegistryIdentity,
    accounts: Collection[str],
    directory: Path,
) -> None:
    """Refuse a run that reads another registry than the one the warehouse directory holds.

    Args:
        stored: what the directory holds; None where it holds nothing, or does not say which.
        read: what the run reads.
        accounts: every account known of the run: of its log-in, and of the records it read.
        directory: of the warehouse.

    Raises:
        OtherRegistry: host or account differ; what is unknown differs from nothing.
    """
    if stored is None:
        return
    is_other_account = stored.domain and accounts and stored.domain not in accounts
    if stored.endpoint != read.endpoint or is_other_account:
        another = replace(read, domain=min(accounts, default=None))
        raise OtherRegistry(
            f"{directory} holds another registry ({stored}) than this run reads ({another}):"
            " set SWR_WAREHOUSE_DIR to a directory of its own, or the endpoint and the credentials"
            " to those of the first."
        )


def refuse_another_name(stored: RegistryIdentity | None, settings: Settings) -> None:
    """Refuse to go on under another name than the one that all rows of the registry have.

    Raises:
        OtherRegistry: the name that the file of registries gives it is another.
    """
    if stored and settings.registry and stored.name != settings.registry:
        raise OtherRegistry(
            f"{settings.warehouse_dir} knows {stored} by the name {stored.name}: give it that name"
            f" in {settings.registries_file}."
        )


def is_same_account(path: Path, client: SwrClient, listed: Iterable[Name]) -> bool:
    """Whether a landing may be of the account that asks now; what is unknown differs from nothing.

    All accounts of a region share one endpoint, and a token does not say whose it is: the records
    that were landed do, and so does the answer about any repository.
    """
    landed = _landed_account(path)
    name = next(iter(listed), None)
    if landed is None or name is None:
        return True
    try:
        return client.repository(*name).domain_id in {None, landed}
    except SwrError:
        return True


def _landed_account(path: Path) -> str | None:
    """The account that the first usable record of a landing names."""
    for page in read_pages(path):
        for raw in array_elements(page.body):
            with suppress(ValueError):
                return read_record(raw).domain_id
    return None


def _host(endpoint: str) -> str:
    """The host of a URL, with its port where that is not the usual one."""
    parts = urlsplit(endpoint)
    host = (parts.hostname or "").rstrip(".")
    if _is_loopback(host):
        return LOOPBACK
    is_usual = parts.port in {None, _DEFAULT_PORTS.get(parts.scheme)}
    return host if is_usual else f"{host}:{parts.port}"


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
