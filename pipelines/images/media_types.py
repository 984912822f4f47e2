"""Media types of manifests, configurations and layers, and what they tell. No parsing here."""

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
_IMAGE_CONFIGS = {DOCKER_CONFIG, OCI_CONFIG}
# Registries do not hold these, Windows base layers above all: they are fetched from elsewhere.
_DOCKER_FOREIGN = ".rootfs.foreign."
_OCI_FOREIGN = ".layer.nondistributable."


def is_schema1(media_type: str) -> bool:
    """A Docker schema 1 manifest, signed or not."""
    return media_type in _SCHEMA1


def is_index(media_type: str) -> bool:
    """A list of manifests."""
    return media_type in _INDEXES


def is_image(media_type: str) -> bool:
    """A manifest with a configuration and layers, of an image or of an artifact."""
    return media_type in _IMAGES


def is_image_config(media_type: str | None, manifest_type: str | None) -> bool:
    """A configuration that makes its manifest an image rather than an artifact.

    Those of Helm, cosign and the like do not. Docker's own manifests came with unnamed
    configurations before theirs had a type.
    """
    return (
        not media_type
        or media_type in _IMAGE_CONFIGS
        or (media_type == "application/octet-stream" and manifest_type == DOCKER_MANIFEST)
    )


@lru_cache(256)
def is_stored(media_type: str | None) -> bool:
    """A layer the registry holds: any but foreign (non-distributable) ones."""
    return media_type is None or not (_DOCKER_FOREIGN in media_type or _OCI_FOREIGN in media_type)
