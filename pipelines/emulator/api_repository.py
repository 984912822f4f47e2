"""The calls of SWR on one repository: a tag, its configuration, its signature; the rules."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from pipelines.emulator.api import repository_name
from pipelines.emulator.api_v3 import without_capital
from pipelines.emulator.messages import (
    Call,
    Request,
    Response,
    json_response,
    no_repository,
    not_found,
)
from pipelines.emulator.parameters import Limits, read_limit, read_parameters
from pipelines.emulator.registry import Registry
from pipelines.emulator.repository import StoredTag

_REPOSITORIES = ("v2", "manage", "namespaces")
_SIGNATURE = ".sig"
_ACCESSORIES, _REFERENCES = Limits(10, 100), Limits(10, 10)


@dataclass(frozen=True)
class RepositoryApi:
    """What can be asked of one repository.

    Attributes:
        registry: where it is.
        has_tag_configs: whether configurations can be asked for; older regions lack that.
    """

    registry: Registry
    has_tag_configs: bool

    def find(self, request: Request) -> Call | None:
        """Find the call a request means; None if there is no such here."""
        if request.method != "GET" or request.segments[:3] != _REPOSITORIES:
            return None
        match request.segments[3:]:
            case (namespace, "repos", name, *rest):
                return self._find(request, (namespace, repository_name(name)), rest)
        return None

    def _find(self, request: Request, asked: tuple[str, str], rest: list[str]) -> Call | None:
        call: Call | None = None
        match rest:
            case ("tags", tag):
                call = partial(self._tag, *asked, tag)
            case ("tags", tag, "config") if self.has_tag_configs:
                call = partial(self._config, *asked, tag)
            case ("retentions",):
                call = partial(self._retentions, *asked)
            case ("retentions", "histories"):
                call = partial(self._retention_log, request, *asked)
            case ("retentions", number):
                call = partial(self._retention, *asked, number)
            case (tag, "accessories"):
                call = partial(self._accessories, request, *asked, tag)
            case (tag, "references"):
                call = partial(self._references, request, *asked, tag)
        return call

    def _tag(self, namespace: str, name: str, tag: str) -> Response:
        return json_response(200, without_capital(self._stored(namespace, name, tag).wire))

    def _config(self, namespace: str, name: str, tag: str) -> Response:
        """Give the configuration as the text that it is, in quotes."""
        self._stored(namespace, name, tag)
        manifest = self.registry.manifest(namespace, name, tag)
        digest = manifest.config_digest if manifest else None
        content = self.registry.blob(namespace, name, digest) if digest else None
        if content is None:
            raise not_found("4040113", "Image not found")
        return json_response(200, content.decode(errors="replace"))

    def _retentions(self, namespace: str, name: str) -> Response:
        rules, _ = self._rules(namespace, name)
        return json_response(200, [rules] if rules else [])

    def _retention(self, namespace: str, name: str, number: str) -> Response:
        rules, _ = self._rules(namespace, name)
        if rules is None or str(rules["id"]) != number:
            raise not_found("4040104", "Retention not found")
        return json_response(200, rules)

    def _retention_log(self, request: Request, namespace: str, name: str) -> Response:
        asked = read_parameters(request)
        _, log = self._rules(namespace, name)
        page = log[asked.offset : asked.offset + asked.limit]
        body = {"retention_log": page, "total": len(log)}
        return json_response(200, body, asked.content_range(len(page), len(log)))

    def _rules(
        self, namespace: str, name: str
    ) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
        try:
            return self.registry.retention(namespace, name)
        except KeyError:
            raise no_repository() from None

    def _accessories(self, request: Request, namespace: str, name: str, tag: str) -> Response:
        asked = read_parameters(request, limits=_ACCESSORIES)
        digest = str(self._stored(namespace, name, tag).wire.get("digest"))
        signature = self.registry.tag(namespace, name, _signature_tag(digest))
        found = [_accessory(namespace, name, signature, digest)] if signature else []
        page = found[asked.offset : asked.offset + asked.limit]
        return json_response(200, {"total": len(found), "accessories": page})

    def _references(self, request: Request, namespace: str, name: str, tag: str) -> Response:
        """Name the tags of the image that a signature is of."""
        limit, last = read_limit(request, _REFERENCES), request.query.get("marker", "")
        self._stored(namespace, name, tag)
        names = [
            other.name
            for other in self.registry.tags(namespace, name, column="tag")
            if _signature_tag(str(other.wire.get("digest"))) == tag and other.name > last
        ]
        page, has_more = names[:limit], len(names) > limit
        more = {"next_marker": page[-1]} if has_more else {}
        return json_response(200, {"tags": page, "has_more": has_more, **more})

    def _stored(self, namespace: str, name: str, tag: str) -> StoredTag:
        try:
            stored = self.registry.tag(namespace, name, tag)
        except KeyError:
            raise no_repository() from None
        if stored is None:
            raise not_found("4040115", "Image tag not found")
        return stored


def _signature_tag(digest: str) -> str:
    """The tag that a signature of an image has."""
    return digest.replace(":", "-") + _SIGNATURE


def _accessory(namespace: str, name: str, signature: StoredTag, target: str) -> dict[str, Any]:
    record = signature.wire
    return {
        "id": record.get("id"),
        "domain_id": record.get("domain_id"),
        "namespace_name": namespace,
        "repo_name": name,
        "sig_tag": signature.name,
        "sig_digest": record.get("digest"),
        "target_digest": target,
        "size": record.get("size"),
        "type": "signature.cosign",
        "created_at": record.get("created"),
        "updated_at": record.get("updated"),
    }
