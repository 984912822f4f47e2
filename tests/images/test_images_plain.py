"""What reads plain images at once says the same of each as what reads any manifest alone."""

import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
from hypothesis import example, given
from hypothesis import strategies as st
from layer_rows import layer_rows
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
    schema1,
    sha256,
)

from pipelines.images.json_shapes import MAXIMUM_SIZE
from pipelines.images.manifest import read_manifest
from pipelines.images.plain import read_plain
from pipelines.images.tables import image_tables
from pipelines.schemas import LAYERS_TABLE, MANIFESTS

DIGESTS = [
    *(sha256(name) for name in "abcdef"),
    sha256("a").upper(),
    "sha256:" + "é" * 64,
    "sha256:" + "0" * 63 + "G",
    "sha256:" + "0" * 63,
    "sha512:" + "0" * 128,
    "sha25x:" + "0" * 64,
    "0" * 71,
    5,
]
SIZES = [1, 7, MAXIMUM_SIZE, 0, -1, MAXIMUM_SIZE + 1, None, "7", 1.0]
LAYER_TYPES = [GZIP, GZIP.upper(), f"{GZIP}; a=b", FOREIGN, "text/plain", None]
ODD_VALUES: list[Any] = [None, [], {}, "", "text", 2, [5], {"digest": sha256("subject")}]


def mostly(usual: Any, others: list[Any]) -> st.SearchStrategy[Any]:
    """The usual value nine times of ten."""
    return st.one_of(*[st.just(usual)] * 9, st.sampled_from(others))


DESCRIPTORS = st.fixed_dictionaries(
    {
        "digest": st.one_of(st.sampled_from(DIGESTS[:6]), mostly(DIGESTS[0], DIGESTS)),
        "size": mostly(5, SIZES),
        "mediaType": mostly(GZIP, LAYER_TYPES),
    }
)
IMAGES = st.fixed_dictionaries(
    {
        "schemaVersion": mostly(2, [1, 3, "2", 2.0, None]),
        "mediaType": mostly(OCI, [DOCKER, DOCKER_LIST, OCI_INDEX, OCI.upper(), "", None, "x/y"]),
        "config": st.fixed_dictionaries(
            {
                "digest": mostly(sha256("config"), DIGESTS),
                "size": mostly(100, SIZES),
                "mediaType": mostly(OCI_CONFIG, [DOCKER_CONFIG, "x/y", None, ""]),
            }
        ),
        "layers": mostly([blob("base")], [None, [], 5, [None]]) | st.lists(DESCRIPTORS, max_size=4),
    },
    optional={
        name: mostly(None, ODD_VALUES)
        for name in ("artifactType", "subject", "manifests", "fsLayers", "blobs", "signatures")
    },
)
TEXTS = st.one_of(
    IMAGES.map(json.dumps),
    IMAGES.map(lambda document: json.dumps(document, indent=3, ensure_ascii=False)),
    IMAGES.map(lambda document: json.dumps(document).replace('"size"', '"size": 3, "size"')),
    IMAGES.map(lambda document: json.dumps(document | {"note": "\ud800"})),
    IMAGES.map(lambda document: json.dumps(document)[:-1]),
    st.sampled_from([json.dumps(index(blob("a"))), json.dumps(schema1("a")), "", "[]", "\ud800"]),
)
Rows = list[dict[str, Any]]


def digest_of(text: str) -> str:
    """The digest of a text, whatever it holds."""
    return sha256(text.encode("utf-8", "backslashreplace").decode())


def rows(tables: tuple[pa.Table, pa.Table]) -> tuple[Rows, Rows]:
    """Rows of manifests and of layers in an order of their own."""
    manifests, layers = (table.to_pylist() for table in tables)
    return (
        sorted(manifests, key=lambda row: str(row["manifest_digest"])),
        sorted(layers, key=lambda row: (str(row["manifest_digest"]), row["position"])),
    )


def told_alone(texts: Mapping[str, str]) -> tuple[Rows, Rows]:
    """Rows of texts by digest, read one by one."""
    read = [read_manifest(text, digest) for digest, text in texts.items()]
    made = image_tables(read)
    return rows((made.manifests, layer_rows(made)))


def told_together(texts: Mapping[str, str]) -> tuple[Rows, Rows]:
    """Rows of texts by digest; only those left over are read one by one."""
    plain = read_plain(texts.items())
    others = told_alone(dict(plain.others))
    manifests, layers = rows((plain.tables.manifests, layer_rows(plain.tables)))
    both = (manifests + others[0], layers + others[1])
    empty = (MANIFESTS, LAYERS_TABLE)
    made = (
        pa.Table.from_pylist(some, schema=schema) for some, schema in zip(both, empty, strict=True)
    )
    return rows((next(made), next(made)))


@given(texts=st.lists(TEXTS, max_size=5), is_wrong=st.booleans())
@example(texts=[json.dumps(image(blob("a"), blob("b"))), json.dumps(image())], is_wrong=False)
def test_together_and_alone_are_the_same(*, texts: list[str], is_wrong: bool) -> None:
    """Whatever is odd about any of them, or about its digest."""
    by_digest = {digest_of(text): text for text in texts}
    if is_wrong and by_digest:
        by_digest[sha256("another")] = by_digest.pop(next(iter(by_digest)))
    assert told_together(by_digest) == told_alone(by_digest)


def left(document: Json) -> int:
    """How many texts are left over of one document."""
    text = json.dumps(document)
    return len(read_plain([(sha256(text), text)]).others)


def test_the_usual_images_are_plain() -> None:
    """Docker's and OCI's, however many layers they have; one with an odd layer is not."""
    assert left(image(*(blob(f"layer {number}") for number in range(100)))) == 0
    assert left(image()) == 0
    docker = blob("a", 5, "application/vnd.docker.image.rootfs.diff.tar.gzip")
    assert left(image(docker, config_type=DOCKER_CONFIG) | {"mediaType": DOCKER}) == 0
    assert left(image(blob("a"), blob("a"))) == 1
    assert left(image(blob("a", 0))) == 1
    assert left(image(blob("a", 5, FOREIGN))) == 1
    assert left(index(blob("a"))) == 1
