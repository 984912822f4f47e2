"""The calls this project makes to an instance of the enterprise edition, one method each.

They have the names of `client`'s and give what those give: whoever reads a registry need not know
which of both it is. What an instance does not have is refused as a path that nobody knows.
https://support.huaweicloud.com/intl/en-us/api-swr2/swr_03_0301.html
"""

from collections.abc import Callable, Iterator
from typing import TypeVar

import msgspec

from pipelines.errors import SwrUnknownPath
from pipelines.swr.artifacts import MAXIMUM_LIMIT, ArtifactPage, artifact_page, read_artifacts
from pipelines.swr.auth import Credentials
from pipelines.swr.client import SwrClient, segment, unexpected
from pipelines.swr.json_parts import UNREADABLE, array_elements
from pipelines.swr.limits import Limits
from pipelines.swr.paging import CrawlOutcome, KnownRecords, Land, Page, PageRequest
from pipelines.swr.repository_list import RepositoryList, RepositoryPage, read_repository_list
from pipelines.swr.responses import Response
from pipelines.swr.transport import FIRST_CONTACT, PATIENT, Patience, Transport
from pipelines.swr.wire import SingleRepository, list_repositories

T = TypeVar("T")
_MAXIMUM_PAGES = 1000
_NULL = msgspec.Raw(b"null")


class _Namespace(msgspec.Struct):
    name: str


class _Namespaces(msgspec.Struct):
    namespaces: list[_Namespace] | None = None
    total: int | None = None


class _Repositories(msgspec.Struct):
    repositories: msgspec.Raw = _NULL
    total: int | None = None


class _Repository(msgspec.Struct):
    """A repository of an instance, its fields as they are."""

    name: msgspec.Raw = _NULL
    tag_count: msgspec.Raw = _NULL
    pull_count: msgspec.Raw = _NULL
    created_at: msgspec.Raw = _NULL
    updated_at: msgspec.Raw = _NULL


class _OneRepository(msgspec.Struct):
    tag_count: int | None = None


class _Instance(msgspec.Struct):
    access_address: str


class _Credential(msgspec.Struct):
    user_id: str
    auth_token: str

    def __repr__(self) -> str:
        return "_Credential"


class InstanceLogin(msgspec.Struct, frozen=True):
    """A temporary login: the instance's own host, and what opens it."""

    host: str
    user: str
    password: str

    def __repr__(self) -> str:
        """Without the secret."""
        return f"InstanceLogin({self.host!r})"


class InstanceClient(SwrClient):
    """An instance as seen with one set of credentials; used by many threads."""

    def __init__(
        self,
        endpoint: str,
        transport: Transport,
        credentials: Credentials,
        *,
        project_id: str,
        instance_id: str,
    ) -> None:
        super().__init__(endpoint, transport, credentials)
        self._path = f"/v2/{segment(project_id)}/instances/{segment(instance_id)}"

    def namespaces(self) -> list[str]:
        """Names of all visible namespaces, sorted."""
        return sorted(set(self._namespaces()))

    def _namespaces(self) -> Iterator[str]:
        for page in range(_MAXIMUM_PAGES):
            answer = self._ask(
                f"{self._path}/namespaces", page * MAXIMUM_LIMIT, _Namespaces, FIRST_CONTACT
            )
            yield from (namespace.name for namespace in answer.namespaces or ())
            if not answer.namespaces or (page + 1) * MAXIMUM_LIMIT >= (answer.total or 0):
                return

    def repositories(self, namespace: str) -> RepositoryList:
        """Every repository of a namespace."""
        path = f"{self._path}/namespaces/{segment(namespace)}/repositories"

        def ask(offset: int, limit: int) -> RepositoryPage:
            parameters = {"offset": str(offset), "limit": str(limit)}
            return self._get(path, parameters, _decoder(_repository_page))

        return read_repository_list(namespace, MAXIMUM_LIMIT, ask)

    def repository(self, namespace: str, repository: str) -> SingleRepository:
        """Ask for one repository by name."""
        path = self._repository_path(namespace, repository)
        found = self._get(path, {}, _decoder(_decode_one))
        return SingleRepository(num_images=found.tag_count)

    def read(
        self,
        namespace: str,
        repository: str,
        limits: Limits,
        land: Land,
        known: KnownRecords | None,
    ) -> CrawlOutcome:
        """Read a repository's tags: whole, for nothing tells which artifacts are new."""
        del limits, known
        path = f"{self._repository_path(namespace, repository)}/artifacts"

        def ask(offset: int) -> ArtifactPage:
            parameters = {"offset": str(offset), "limit": str(MAXIMUM_LIMIT)}
            return self._get(path, parameters, _decoder(artifact_page))

        return read_artifacts(ask, land)

    def login(self) -> InstanceLogin:
        """A temporary login for pulling, which may do what these credentials may.

        Raises:
            SwrForbidden: the credentials lack `swr:instance:createTempCredential`.
        """
        instance = self._get(self._path, {}, _decoder(_decode_instance))
        credential = self.post(f"{self._path}/temp-credential", {}, _decoder(_decode_credential))
        host = instance.access_address.removeprefix("https://").rstrip("/")
        return InstanceLogin(host, credential.user_id, credential.auth_token)

    def tag_page_with(self, namespace: str, repository: str, parameters: dict[str, str]) -> Page:
        """Not of an instance: its lists have no order."""
        del parameters
        raise self._unknown(f"the tag list of {namespace}/{repository}")

    def tag_page(self, namespace: str, repository: str, page: PageRequest) -> Page:
        """Not of an instance."""
        return self.tag_page_with(namespace, repository, {"offset": str(page.offset)})

    def service_figure(self, name: str) -> bytes:
        """Not of an instance."""
        raise self._unknown(f"the account's {name}")

    def retention_rules(self, namespace: str, repository: str) -> bytes:
        """Not of an instance, whose rules are of namespaces."""
        raise self._unknown(f"the retention rules of {namespace}/{repository}")

    def retention_log(self, namespace: str, repository: str, offset: int, limit: int) -> bytes:
        """Not of an instance."""
        del offset, limit
        raise self._unknown(f"the log of retention of {namespace}/{repository}")

    def tag_config(self, namespace: str, repository: str, tag: str) -> bytes:
        """Not of an instance: configurations are pulled."""
        raise self._unknown(f"the configuration of {namespace}/{repository}:{tag}")

    def _unknown(self, what: str) -> SwrUnknownPath:
        return SwrUnknownPath(
            "an instance of the enterprise edition does not show it", request=what
        )

    def _ask(self, path: str, offset: int, shape: type[T], patience: Patience = PATIENT) -> T:
        parameters = {"offset": str(offset), "limit": str(MAXIMUM_LIMIT)}
        decode = _decoder(lambda body: msgspec.json.decode(body, type=shape, strict=False))
        return self._get(path, parameters, decode, patience=patience)

    def _repository_path(self, namespace: str, repository: str) -> str:
        # `/` of a name is written as %2F, and that once more as any other text of a path is.
        name = segment(repository.replace("/", "%2F"))
        return f"{self._path}/namespaces/{segment(namespace)}/repositories/{name}"


def _decoder(decode: Callable[[bytes], T]) -> Callable[[Response], T]:
    """What reads an answer, and names it where it is none."""

    def decoded(response: Response) -> T:
        try:
            return decode(response.text)
        except UNREADABLE as error:
            raise unexpected(response, "the JSON of an instance", error) from None

    return decoded


def _repository_page(body: bytes) -> RepositoryPage:
    answer = msgspec.json.decode(body, type=_Repositories, strict=False)
    is_none = bytes(answer.repositories) == b"null"
    texts = [] if is_none else array_elements(bytes(answer.repositories))
    records, unreadable = list_repositories(b"[%b]" % b",".join(map(_as_listed, texts)))
    return RepositoryPage(records, unreadable, answer.total)


def _as_listed(text: bytes) -> bytes:
    """A repository by the names that the list of the other edition has."""
    try:
        found = msgspec.json.decode(text, type=_Repository)
    except UNREADABLE:
        return text
    return msgspec.json.encode(
        {
            "name": found.name,
            "num_images": found.tag_count,
            "num_download": found.pull_count,
            "created_at": found.created_at,
            "updated_at": found.updated_at,
        }
    )


def _decode_one(body: bytes) -> _OneRepository:
    return msgspec.json.decode(body, type=_OneRepository, strict=False)


def _decode_instance(body: bytes) -> _Instance:
    return msgspec.json.decode(body, type=_Instance)


def _decode_credential(body: bytes) -> _Credential:
    return msgspec.json.decode(body, type=_Credential)
