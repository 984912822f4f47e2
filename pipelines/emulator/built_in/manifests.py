"""Texts of manifests of every kind, for the built-in registry.

Blobs that exist by name only have the hash of a label as their digest; all other digests are true.
"""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pipelines.emulator.contents import sha256

_DOCKER = "application/vnd.docker."
_OCI = "application/vnd.oci."
_DOCKER_IMAGE = f"{_DOCKER}distribution.manifest.v2+json"
_OCI_IMAGE = f"{_OCI}image.manifest.v1+json"
_OCI_INDEX = f"{_OCI}image.index.v1+json"
_FOREIGN_HOST = "https://mcr.microsoft.com/v2/windows/servercore/blobs"
_NOTHING = b"{}"


class Blob(NamedTuple):
    """A layer or config; `is_foreign` if the registry does not store it."""

    digest: str
    size: int
    is_foreign: bool = False
    content: bytes | None = None


class Image(NamedTuple):
    """A manifest's text, and those blobs that a pull finds by their content or needs to size."""

    manifest: str
    blobs: tuple[Blob, ...] = ()


class Child(NamedTuple):
    """One entry of a list or index."""

    image: Image
    platform: Mapping[str, str] | None
    annotations: Mapping[str, str] | None = None


def digest_of(text: str) -> str:
    """Digest of a text, such as a manifest."""
    return sha256(text.encode())


def compact(payload: object) -> str:
    """Write JSON without a space."""
    return json.dumps(payload, separators=(",", ":"))


def blob(label: str, size: int, *, is_foreign: bool = False) -> Blob:
    """Make up a blob: same label, same digest."""
    return Blob(digest_of(label), size, is_foreign)


def blob_of(content: bytes) -> Blob:
    """Make a real blob."""
    return Blob(sha256(content), len(content), content=content)


def docker_image(config: Blob, layers: Sequence[Blob]) -> Image:
    """Docker schema 2."""
    text = compact(
        {
            "schemaVersion": 2,
            "mediaType": _DOCKER_IMAGE,
            "config": _descriptor(f"{_DOCKER}container.image.v1+json", config),
            "layers": [_docker_layer(layer) for layer in layers],
        }
    )
    return Image(text, (config,))


def oci_image(config: Blob, layers: Sequence[Blob]) -> Image:
    """OCI image, indented as buildkit does; a layer with content is a plain archive."""
    text = _indented(
        {
            "schemaVersion": 2,
            "mediaType": _OCI_IMAGE,
            "config": _descriptor(f"{_OCI}image.config.v1+json", config),
            "layers": [_oci_layer(layer) for layer in layers],
        }
    )
    return Image(text, (config, *(layer for layer in layers if layer.content)))


def docker_list(children: Sequence[Child]) -> str:
    """Docker manifest list."""
    return _index(f"{_DOCKER}distribution.manifest.list.v2+json", children)


def oci_index(children: Sequence[Child]) -> str:
    """OCI index."""
    return _index(_OCI_INDEX, children)


def attestation(config: Blob, statement: Blob) -> Image:
    """The provenance that buildkit puts beside each image of an index."""
    layer = _descriptor("application/vnd.in-toto+json", statement)
    layer["annotations"] = {"in-toto.io/predicate-type": "https://slsa.dev/provenance/v0.2"}
    return Image(_oci(_descriptor(f"{_OCI}image.config.v1+json", config), [layer]), (config,))


def helm_chart(config: Blob, chart: Blob) -> Image:
    """Helm chart."""
    layer = _descriptor("application/vnd.cncf.helm.chart.content.v1.tar+gzip", chart)
    text = _oci(_descriptor("application/vnd.cncf.helm.config.v1+json", config), [layer])
    return Image(text, (config,))


def cosign_signature(config: Blob, payload: Blob) -> Image:
    """Cosign signature, as pushed to the tag `sha256-….sig`."""
    layer = _descriptor("application/vnd.dev.cosign.simplesigning.v1+json", payload)
    layer["annotations"] = {"dev.cosignproject.cosign/signature": f"MEUCIQ{payload.digest[-40:]}=="}
    return Image(_oci(_descriptor(f"{_OCI}image.config.v1+json", config), [layer]), (config,))


def bill_of_materials(subject: str, document: Blob) -> Image:
    """OCI 1.1 artifact that refers to the manifest it describes."""
    empty = blob_of(_NOTHING)
    config = _descriptor(f"{_OCI}empty.v1+json", empty)
    config["data"] = base64.b64encode(_NOTHING).decode()
    more = {
        "artifactType": "application/spdx+json",
        "subject": _manifest_descriptor(subject),
    }
    text = _oci(config, [_descriptor("application/spdx+json", document)], more)
    return Image(text, (empty,))


def schema1(name: str, tag: str, layers: Sequence[Blob]) -> Image:
    """Docker schema 1, unsigned: topmost layer first, no sizes."""
    ids = [hashlib.sha256(f"{name}:{tag} {layer.digest}".encode()).hexdigest() for layer in layers]
    parents: list[str | None] = [None, *ids]
    history = [
        {"v1Compatibility": compact({"id": own, **({"parent": parent} if parent else {})})}
        for own, parent in zip(ids, parents, strict=False)
    ]
    text = _indented(
        {
            "schemaVersion": 1,
            "name": name,
            "tag": tag,
            "architecture": "amd64",
            "fsLayers": [{"blobSum": layer.digest} for layer in reversed(layers)],
            "history": history[::-1],
        }
    )
    return Image(text, tuple(layers))


def signed(payload: str) -> str:
    """A schema 1 manifest with a signature in it; its digest is the payload's, not this text's."""
    content = payload.removesuffix("\n}")
    protected = {
        "formatLength": len(content.encode()),
        "formatTail": _base64url("\n}"),
        "time": "2016-02-29T12:00:00Z",
    }
    key = _base64url(digest_of(f"key of {payload}"))[:43]
    signature = {
        "header": {"jwk": {"crv": "P-256", "kty": "EC", "x": key, "y": key}, "alg": "ES256"},
        "signature": _base64url(digest_of(payload) * 2)[:86],
        "protected": _base64url(compact(protected)),
    }
    block = _indented({"signatures": [signature]}).removeprefix("{")
    return f"{content},{block}"


def _index(media_type: str, children: Sequence[Child]) -> str:
    entries = []
    for child in children:
        entry = _manifest_descriptor(child.image.manifest)
        if child.annotations:
            entry["annotations"] = dict(child.annotations)
        if child.platform:
            entry["platform"] = dict(child.platform)
        entries.append(entry)
    return _indented({"schemaVersion": 2, "mediaType": media_type, "manifests": entries})


def _manifest_descriptor(manifest: str) -> dict[str, Any]:
    whole = Blob(digest_of(manifest), len(manifest.encode()))
    return _descriptor(json.loads(manifest)["mediaType"], whole)


def _oci(
    config: dict[str, Any], layers: list[dict[str, Any]], more: Mapping[str, Any] | None = None
) -> str:
    head = {"schemaVersion": 2, "mediaType": _OCI_IMAGE}
    return compact({**head, "config": config, "layers": layers, **(more or {})})


def _docker_layer(layer: Blob) -> dict[str, Any]:
    if not layer.is_foreign:
        return _descriptor(f"{_DOCKER}image.rootfs.diff.tar.gzip", layer)
    descriptor = _descriptor(f"{_DOCKER}image.rootfs.foreign.diff.tar.gzip", layer)
    return {**descriptor, "urls": [f"{_FOREIGN_HOST}/{layer.digest}"]}


def _oci_layer(layer: Blob) -> dict[str, Any]:
    packing = "" if layer.content else "+gzip"
    return _descriptor(f"{_OCI}image.layer.v1.tar{packing}", layer)


def _descriptor(media_type: str, described: Blob) -> dict[str, Any]:
    return {"mediaType": media_type, "size": described.size, "digest": described.digest}


def _indented(payload: object) -> str:
    return json.dumps(payload, indent=3)


def _base64url(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
