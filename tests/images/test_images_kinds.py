"""A manifest's kind is told by its media type, else by its shape."""

import pytest
from manifest_texts import (
    DOCKER,
    DOCKER_CONFIG,
    DOCKER_LIST,
    FOREIGN,
    GZIP,
    OCI,
    OCI_CONFIG,
    OCI_INDEX,
    Json,
    blob,
    image,
    index,
    read,
    schema1,
    sha256,
    without,
)

from pipelines.images.media_types import is_stored

OCI_ARTIFACT = "application/vnd.oci.artifact.manifest.v1+json"
SCHEMA1 = "application/vnd.docker.distribution.manifest.v1+json"
SIGNED = "application/vnd.docker.distribution.manifest.v1+prettyjws"
ARTIFACT = {"mediaType": OCI_ARTIFACT, "artifactType": "application/x", "blobs": [blob("a", 7)]}
MINE = "application/vnd.mine"
CHILD = blob("a", 7, OCI)


@pytest.mark.parametrize(
    ("document", "kind", "media_type"),
    [
        (image(), "image", OCI),
        (image(mediaType=DOCKER, config_type=DOCKER_CONFIG), "image", DOCKER),
        (index(), "index", OCI_INDEX),
        (index(mediaType=DOCKER_LIST), "index", DOCKER_LIST),
        (schema1("a", mediaType=SCHEMA1), "schema1", SCHEMA1),
        (schema1("a", mediaType=SIGNED), "schema1", SIGNED),
        (ARTIFACT, "artifact", OCI_ARTIFACT),
    ],
)
def test_a_stated_media_type_tells_the_kind(document: Json, kind: str, media_type: str) -> None:
    """Every media type of a manifest has its kind."""
    manifest = read(document)
    assert (manifest.kind, manifest.media_type, manifest.problem) == (kind, media_type, None)


@pytest.mark.parametrize(
    ("document", "kind", "media_type"),
    [
        (image(), "image", OCI),
        (image(config_type=DOCKER_CONFIG), "image", DOCKER),
        (index(), "index", OCI_INDEX),
        (schema1("a"), "schema1", SCHEMA1),
        (schema1("a", signatures=[]), "schema1", SIGNED),
        (schema1("a", signatures=None), "schema1", SCHEMA1),
        (ARTIFACT, "artifact", OCI_ARTIFACT),
    ],
)
@pytest.mark.parametrize("stated", [{}, {"mediaType": None}, {"mediaType": ""}])
def test_without_a_media_type_the_shape_tells_the_kind(
    document: Json, kind: str, media_type: str, stated: Json
) -> None:
    """An absent, null or empty media type is none, and then it is told as well."""
    manifest = read(without(document, "mediaType") | stated)
    assert (manifest.kind, manifest.media_type) == (kind, media_type)


@pytest.mark.parametrize(
    "config_type",
    [
        "application/vnd.cncf.helm.config.v1+json",
        "application/vnd.dev.cosign.artifact.sig.v1+json",
        "application/vnd.oci.empty.v1+json",
        "application/vnd.docker.plugin.v1+json",
        "application/octet-stream",
    ],
)
def test_an_image_manifest_without_an_image_configuration_is_an_artifact(config_type: str) -> None:
    """Helm charts, signatures and the like come as images."""
    manifest = read(image(blob("chart", 7), config_type=config_type))
    assert manifest.kind == "artifact"
    assert manifest.config is not None
    assert manifest.config.media_type == config_type
    assert [layer.digest for layer in manifest.layers] == [sha256("chart")]


@pytest.mark.parametrize(
    ("manifest_type", "config_type"),
    [(DOCKER, "application/octet-stream"), (DOCKER, OCI_CONFIG), (OCI, DOCKER_CONFIG), (OCI, "")],
)
def test_some_images_have_unusual_configurations(manifest_type: str, config_type: str) -> None:
    """Docker's first schema 2 images left the type unnamed; the two families do get mixed."""
    assert read(image(mediaType=manifest_type, config_type=config_type)).kind == "image"


def test_whatever_states_an_artifact_type_is_an_artifact() -> None:
    """Also with the configuration of an image; the subject is kept."""
    subject = {"mediaType": OCI, "digest": sha256("image"), "size": 5}
    manifest = read(image(artifactType="application/sbom", subject=subject))
    assert (manifest.kind, manifest.artifact_type) == ("artifact", "application/sbom")
    assert manifest.subject_digest == sha256("image")


def test_an_index_stays_one_with_an_artifact_type_and_a_subject() -> None:
    """Both are kept."""
    manifest = read(index(artifactType="application/x", subject={"digest": sha256("image")}))
    assert (manifest.kind, manifest.artifact_type) == ("index", "application/x")
    assert manifest.subject_digest == sha256("image")


@pytest.mark.parametrize(
    ("document", "media_type"),
    [
        ({}, None),
        ({"hello": "world"}, None),
        ({"schemaVersion": 1}, None),
        ({"schemaVersion": "two", "artifactType": 7}, None),
        (image(mediaType=MINE), MINE),
        ({"mediaType": MINE, "config": "not a descriptor", "layers": {}}, MINE),
    ],
)
def test_a_json_object_of_no_known_kind_is_unknown(document: Json, media_type: str | None) -> None:
    """It is kept without rows; what its fields hold is its own affair."""
    manifest = read(document)
    assert (manifest.kind, manifest.media_type, manifest.problem) == ("unknown", media_type, None)
    assert (manifest.config, [*manifest.layers], [*manifest.children]) == (None, [], [])


def test_schema1_lists_its_topmost_layer_first() -> None:
    """The last one listed is the base."""
    manifest = read(schema1("top", "middle", "base"))
    assert [layer.digest for layer in manifest.layers] == [
        sha256("base"),
        sha256("middle"),
        sha256("top"),
    ]
    assert {layer.size for layer in manifest.layers} == {None}
    assert manifest.config is None


@pytest.mark.parametrize("nothing", [{"layers": None}, {"layers": []}])
def test_no_layers_are_zero_layers(nothing: Json) -> None:
    """Whether the field is empty or null, which Go writes for it; absent it may not be."""
    manifest = read(without(image(), "layers") | nothing)
    assert (manifest.kind, [*manifest.layers]) == ("image", [])


def test_fields_nobody_asks_for_may_hold_anything() -> None:
    """Annotations above all, such as those of lazily pulled layers."""
    toc = {"containerd.io/snapshot/stargz/toc.digest": sha256("toc")}
    lazy = blob("lazy", 9, annotations=toc, urls=7, data=[])
    manifest = read(image(lazy, annotations={"any": 1}, x=[1e300, {"y": None}]))
    assert manifest.kind == "image"
    assert [(layer.digest, layer.size, layer.media_type) for layer in manifest.layers] == [
        (sha256("lazy"), 9, GZIP)
    ]


TWO_KINDS = [
    (index(CHILD, config=blob("c")), "config and manifests"),
    (index(CHILD, layers=[]), "layers and manifests"),
    (index(CHILD, layers=None), "layers and manifests"),
    (index(CHILD, fsLayers={}), "manifests and fsLayers"),
    (image(blob("a"), manifests=[CHILD]), "config, layers and manifests"),
    (image(blob("a"), manifests=None), "config, layers and manifests"),
    (image(blob("a"), fsLayers=[]), "config, layers and fsLayers"),
    (schema1("a", layers=[5]), "layers and fsLayers"),
    (schema1("a", config=5, manifests=5), "config, manifests and fsLayers"),
]


@pytest.mark.parametrize(("document", "fields"), TWO_KINDS)
@pytest.mark.parametrize("media_type", [OCI, OCI_INDEX, SCHEMA1, "application/vnd.mine", None, 5])
def test_a_document_that_can_be_read_in_two_ways_is_invalid(
    document: Json, fields: str, media_type: object
) -> None:
    """CVE-2021-41190: whatever it says it is, one client pulls an image, another an index."""
    manifest = read(document | {"mediaType": media_type})
    assert (manifest.kind, manifest.problem) == ("invalid", f"ambiguous: it has {fields}")


def test_blobs_make_a_document_ambiguous_only_where_it_states_no_media_type() -> None:
    """No client looks for them in anything but OCI's artifact manifest, which states its type."""
    both = image(blob("a"), blobs=[blob("b")])
    assert [layer.digest for layer in read(both).layers] == [sha256("a")]
    artifact = read(both | {"mediaType": "application/vnd.oci.artifact.manifest.v1+json"})
    assert [layer.digest for layer in artifact.layers] == [sha256("b")]
    problem = "ambiguous: it has config, layers and blobs"
    assert read(without(both, "mediaType")).problem == problem
    problem = "ambiguous: it has manifests and blobs"
    assert read({"manifests": [CHILD], "blobs": None}).problem == problem


@pytest.mark.parametrize("spelled", ["%s ", "%s;charset=utf-8", " %s ; a=b"])
def test_a_media_type_is_compared_by_type_and_subtype(spelled: str) -> None:
    """Case, blanks and parameters do not make it unknown; it is kept as it is."""
    for document, kind in ((image(blob("a")), "image"), (index(CHILD), "index")):
        media_type = (spelled % document["mediaType"]).upper()
        manifest = read(document | {"mediaType": media_type})
        assert (manifest.kind, manifest.media_type) == (kind, media_type)
    spelled_config = image(config_type=spelled % DOCKER_CONFIG.upper())
    assert read(without(spelled_config, "mediaType")).media_type == DOCKER
    assert is_stored(spelled % FOREIGN.upper()) is False
