"""Manifests written by hand, for the tests of what they mean."""

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from pipelines.images.manifest import Manifest, read_manifest
from pipelines.images.tables import ImageTables, image_tables
from pipelines.images.text_choice import TextChoice

DOCKER = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
OCI = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
GZIP = "application/vnd.oci.image.layer.v1.tar+gzip"
FOREIGN = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"

Json = dict[str, Any]


def sha256(text: str) -> str:
    """The digest of a text."""
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def blob(name: str, size: object = 1, media_type: object = GZIP, **other: object) -> Json:
    """A descriptor of a blob with that content."""
    return {"mediaType": media_type, "digest": sha256(name), "size": size, **other}


def image(*layers: Json, config_type: str = OCI_CONFIG, **other: object) -> Json:
    """An OCI image whose configuration has 100 bytes."""
    config = blob("config", 100, config_type)
    return {"schemaVersion": 2, "mediaType": OCI, "config": config, "layers": layers, **other}


def index(*children: Json, **other: object) -> Json:
    """An OCI index."""
    return {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": children, **other}


def schema1(*names: str, **other: object) -> Json:
    """A schema 1 manifest, its layers topmost first."""
    layers = [{"blobSum": sha256(name)} for name in names]
    return {"schemaVersion": 1, "name": "a", "tag": "b", "fsLayers": layers, **other}


def without(document: Json, *names: str) -> Json:
    """The document without some of its fields."""
    return {name: value for name, value in document.items() if name not in names}


def read(document: object) -> Manifest:
    """Read a document, or a text, under its own digest."""
    text = document if isinstance(document, str) else json.dumps(document)
    return read_manifest(text, sha256(text))


def tables_of(texts: Iterable[tuple[str, str]]) -> ImageTables:
    """The rows of texts given as (digest, text): those of final manifests first."""
    choice = TextChoice(())
    final = choice.choose(texts)
    return image_tables([*final, *choice.undecided()])
