"""Media types of manifests, configurations and layers, and what each means. No parsing here."""

import re
from functools import lru_cache

SCHEMA1 = "application/vnd.docker.distribution.manifest.v1+json"
SCHEMA1_SIGNED = "application/vnd.docker.distribution.manifest.v1+prettyjws"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_ARTIFACT = "application/vnd.oci.artifact.manifest.v1+json"

DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"

_SCHEMA1 = {SCHEMA1, SCHEMA1_SIGNED}
_INDEXES = {DOCKER_LIST, OCI_INDEX}
_IMAGES = {DOCKER_MANIFEST, OCI_MANIFEST}
# Clients may have manifests of their own, in JSON; the JSON of a configuration is a blob.
_MANIFEST_TYPE = re.compile(
    r"(?!.*\b(?:config|container\.image)\b).*\+(?:json|prettyjws)"
).fullmatch
_IMAGE_CONFIGS = {DOCKER_CONFIG, OCI_CONFIG}
# Registries do not hold these, Windows base layers above all: they are fetched from elsewhere.
_DOCKER_FOREIGN = ".rootfs.foreign."
_OCI_FOREIGN = ".layer.nondistributable."


@lru_cache(256)
def _essence(media_type: str) -> str:
    """Type and subtype in lower case, without parameters and blanks: what is compared."""
    return media_type.partition(";")[0].strip().lower()


def is_schema1(media_type: str) -> bool:
    """A Docker schema 1 manifest, signed or not."""
    return _essence(media_type) in _SCHEMA1


def is_index(media_type: str) -> bool:
    """A list of manifests."""
    return _essence(media_type) in _INDEXES


def is_image(media_type: str) -> bool:
    """A manifest with a configuration and layers, of an image or of an artifact."""
    return _essence(media_type) in _IMAGES


def is_oci_artifact(media_type: str) -> bool:
    """OCI's short-lived artifact manifest, with blobs and no configuration."""
    return _essence(media_type) == OCI_ARTIFACT


@lru_cache(256)
def is_blob_in_index(media_type: str | None) -> bool:
    """Whether a child of an index is a blob, held by the index itself, and no manifest.

    A child without a media type, or with one that has no subtype, counts as a manifest. So does
    JSON of a type not known here: it stays unread, and sizes stay lower bounds.
    """
    essence = _essence(media_type or "")
    return "/" in essence and _MANIFEST_TYPE(essence) is None


def image_of_config(media_type: str | None) -> str:
    """The media type of an image that states none, by that of its configuration."""
    return DOCKER_MANIFEST if _essence(media_type or "") == DOCKER_CONFIG else OCI_MANIFEST


@lru_cache(256)
def is_image_config(media_type: str | None, manifest_type: str | None) -> bool:
    """A configuration that makes its manifest an image rather than an artifact.

    Those of Helm, cosign and the like do not. The first Docker images had no type for theirs.
    """
    if not media_type:
        return True
    is_docker = _essence(manifest_type or "") == DOCKER_MANIFEST
    essence = _essence(media_type)
    return essence in _IMAGE_CONFIGS or (essence == "application/octet-stream" and is_docker)


@lru_cache(256)
def is_stored(media_type: str | None) -> bool:
    """Whether the registry holds a layer: any but a foreign (non-distributable) one."""
    essence = _essence(media_type or "")
    return not (_DOCKER_FOREIGN in essence or _OCI_FOREIGN in essence)
