"""Reads one manifest's text: its kind, its configuration, layers and children, or its problem.

Never raises, whatever the text. A malformed manifest is `invalid` with a problem; one that is well
formed and of no known kind is `unknown`. How many bytes that makes is told by `tables`.
"""

from enum import StrEnum
from typing import Annotated

import msgspec

from pipelines.images import media_types as mt
from pipelines.images.digests import is_well_formed

# Beyond this, numbers in JSON are no longer exact everywhere, and sums could overflow.
MAXIMUM_SIZE = 2**53
Size = Annotated[int, msgspec.Meta(ge=0, le=MAXIMUM_SIZE)]
SchemaVersion = Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)]
_ATTESTATION = ("vnd.docker.reference.type", "attestation-manifest")


class Kind(StrEnum):
    """What a manifest is; the values of `manifests.manifest_kind`."""

    IMAGE = "image"
    INDEX = "index"
    SCHEMA1 = "schema1"
    ARTIFACT = "artifact"
    UNKNOWN = "unknown"
    INVALID = "invalid"


class Platform(msgspec.Struct, frozen=True, gc=False, rename={"os_version": "os.version"}):
    """What a child of an index runs on, verbatim."""

    os: str | None = None
    architecture: str | None = None
    variant: str | None = None
    os_version: str | None = None


class Descriptor(msgspec.Struct, frozen=True, gc=False, rename={"media_type": "mediaType"}):
    """A reference to a blob or manifest."""

    digest: str
    size: Size | None = None
    media_type: str | None = None


class Child(msgspec.Struct, frozen=True, gc=False, rename={"media_type": "mediaType"}):
    """A reference from an index to a manifest."""

    digest: str
    size: Size | None = None
    media_type: str | None = None
    platform: Platform | None = None
    annotations: dict[str, str] | None = None

    @property
    def is_attestation(self) -> bool:
        """Whether the child attests how an image was built, and is none itself."""
        name, value = _ATTESTATION
        return self.annotations is not None and self.annotations.get(name) == value


class _Schema1Layer(msgspec.Struct, frozen=True, gc=False):
    blobSum: str  # noqa: N815 - the format's own name


class _Subject(msgspec.Struct, frozen=True, gc=False):
    digest: str


class _Text(msgspec.Struct, gc=False):
    """All the fields that any known kind of manifest has, as the text names them."""

    schemaVersion: SchemaVersion | None = None  # noqa: N815
    mediaType: str | None = None  # noqa: N815
    artifactType: str | None = None  # noqa: N815
    config: Descriptor | None = None
    layers: list[Descriptor] | None = None
    blobs: list[Descriptor] | None = None
    manifests: list[Child] | None = None
    fsLayers: list[_Schema1Layer] | None = None  # noqa: N815
    subject: _Subject | None = None


class Manifest(msgspec.Struct, frozen=True, gc=False):
    """What a manifest says. `layers` are base first."""

    kind: Kind
    problem: str | None = None
    media_type: str | None = None
    artifact_type: str | None = None
    schema_version: int | None = None
    config: Descriptor | None = None
    layers: tuple[Descriptor, ...] = ()
    children: tuple[Child, ...] = ()
    subject_digest: str | None = None


_decode = msgspec.json.Decoder(_Text).decode


def read_manifest(text: bytes) -> Manifest:
    """Read a manifest's text, in UTF-8. Never raises."""
    if not text.strip():
        return _invalid("the record carries no manifest")
    try:
        decoded = _decode(text)
        return _understood(decoded)
    except (msgspec.MsgspecError, _Malformed) as error:
        return _invalid(str(error))
    except UnicodeDecodeError:
        return _invalid("the text is not valid UTF-8")
    except RecursionError:
        return _invalid("the JSON is nested too deeply")


class _Malformed(Exception):
    """A field does not hold what it must."""


def _understood(text: _Text) -> Manifest:
    """Tell the kind by the stated media type, else by the shape."""
    stated = text.mediaType or ""
    if mt.is_schema1(stated) or (not stated and text.fsLayers is not None):
        return _schema1(text)
    if mt.is_index(stated) or (not stated and text.manifests is not None):
        return _index(text)
    if mt.is_image(stated) or (not stated and (text.config is not None or text.layers is not None)):
        return _image(text)
    if stated == mt.OCI_ARTIFACT or (not stated and text.blobs is not None):
        return _oci_artifact(text)
    return Manifest(
        Kind.UNKNOWN,
        media_type=text.mediaType,
        artifact_type=text.artifactType,
        schema_version=text.schemaVersion,
    )


def _schema1(text: _Text) -> Manifest:
    """Schema 1 lists its layers topmost first, without sizes."""
    digests = [layer.blobSum for layer in text.fsLayers or ()]
    for position, digest in enumerate(digests):
        _check(digest, f"fsLayers[{position}].blobSum")
    return Manifest(
        Kind.SCHEMA1,
        media_type=text.mediaType or mt.SCHEMA1,
        schema_version=text.schemaVersion,
        layers=tuple(Descriptor(digest) for digest in reversed(digests)),
    )


def _index(text: _Text) -> Manifest:
    _require_schema2(text)
    children = tuple(text.manifests or ())
    for position, child in enumerate(children):
        _check(child.digest, f"manifests[{position}].digest")
    return Manifest(
        Kind.INDEX,
        media_type=text.mediaType or mt.OCI_INDEX,
        artifact_type=text.artifactType,
        schema_version=text.schemaVersion,
        children=children,
        subject_digest=_subject(text),
    )


def _image(text: _Text) -> Manifest:
    _require_schema2(text)
    media_type = text.mediaType or _media_type_told_by(text.config)
    config_type = text.config.media_type if text.config else None
    is_image = mt.is_image_config(config_type or None, media_type) and not text.artifactType
    return Manifest(
        Kind.IMAGE if is_image else Kind.ARTIFACT,
        media_type=media_type,
        artifact_type=text.artifactType,
        schema_version=text.schemaVersion,
        config=_checked_config(text),
        layers=_checked(text.layers, "layers"),
        subject_digest=_subject(text),
    )


def _oci_artifact(text: _Text) -> Manifest:
    return Manifest(
        Kind.ARTIFACT,
        media_type=text.mediaType or mt.OCI_ARTIFACT,
        artifact_type=text.artifactType,
        schema_version=text.schemaVersion,
        layers=_checked(text.blobs, "blobs"),
        subject_digest=_subject(text),
    )


def _media_type_told_by(config: Descriptor | None) -> str:
    is_docker = config is not None and config.media_type == mt.DOCKER_CONFIG
    return mt.DOCKER_MANIFEST if is_docker else mt.OCI_MANIFEST


def _checked_config(text: _Text) -> Descriptor:
    if text.config is None:
        raise _Malformed("config is missing")
    _check(text.config.digest, "config.digest")
    return text.config


def _checked(layers: list[Descriptor] | None, name: str) -> tuple[Descriptor, ...]:
    for position, layer in enumerate(layers or ()):
        _check(layer.digest, f"{name}[{position}].digest")
    return tuple(layers or ())


def _subject(text: _Text) -> str | None:
    if text.subject is None:
        return None
    _check(text.subject.digest, "subject.digest")
    return text.subject.digest


def _require_schema2(text: _Text) -> None:
    if text.schemaVersion not in (None, 2):
        raise _Malformed(f"schemaVersion is {text.schemaVersion} instead of 2")


def _check(digest: str, name: str) -> None:
    if not is_well_formed(digest):
        raise _Malformed(f"{name} is malformed: {digest[:100]!r}")


def _invalid(problem: str) -> Manifest:
    return Manifest(Kind.INVALID, problem=problem)
