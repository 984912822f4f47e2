"""Whatever a registry sends, reading does not raise and the tables can be built."""

import json
import random
from collections.abc import Iterator
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st
from layer_rows import layer_rows
from manifest_texts import (
    DOCKER_LIST,
    FOREIGN,
    OCI,
    OCI_INDEX,
    blob,
    image,
    index,
    schema1,
    sha256,
    tables_of,
)

from pipelines.images.manifest import Kind, read_manifest
from pipelines.schemas import LAYER_PREFIXES, MANIFEST_PREFIXES, MANIFESTS, PLATFORMS

NAMES = [
    *("schemaVersion", "mediaType", "artifactType", "config", "layers", "blobs", "manifests"),
    *("fsLayers", "blobSum", "signatures", "protected", "subject", "digest", "size", "platform"),
    *("data", "os", "os.version", "annotations", "vnd.docker.reference.type", "\ud800"),
]
VALUES = [OCI, OCI_INDEX, DOCKER_LIST, FOREIGN, sha256("a"), sha256("a").upper(), "sha256:a"]
VALUES += ["", "\ud800", "\x00"]
NUMBERS = [0, 1, 2, -1, 2**31, 2**46, 2**46 + 1, 2**63, 2**64, 10**400, 0.5, 1e300]
leaves = st.one_of(
    st.none(), st.booleans(), st.sampled_from(VALUES), st.sampled_from(NUMBERS), st.text()
)
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(NAMES), inner),
    max_leaves=20,
)
VALID = [
    image(blob("a"), blob("b", 7, FOREIGN), subject={"digest": sha256("c")}),
    image(blob("a"), artifactType="application/x"),
    index(blob("a", platform={"os": "linux", "variant": "v8"}, annotations={"x": "y"})),
    index(blob("{}", 2, OCI, data="e30="), blob("a", 7)),
    index(blob("a", 7), blob("b", 0)),
    schema1("b", "a", signatures=[{"protected": "e30"}]),
    {"blobs": [blob("a")]},
]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every way into a document."""
    items: Any = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list | tuple):
        items = enumerate(value)
    for key, inner in items:
        yield (*path, key)
        yield from places(inner, (*path, key))


@st.composite
def mutated_documents(draw: st.DrawFn) -> str:
    """A valid manifest with some of its values replaced by others."""
    document = json.loads(json.dumps(draw(st.sampled_from(VALID))))
    for _ in range(draw(st.integers(1, 3))):
        *way, last = draw(st.sampled_from(list(places(document))))
        parent = document
        for key in way:
            parent = parent[key]
        parent[last] = draw(values)
        if not list(places(document)):
            break
    return json.dumps(document, ensure_ascii=draw(st.booleans()))


@st.composite
def mutated_texts(draw: st.DrawFn) -> str:
    """The text of a valid manifest with a part cut out and another put in."""
    text = json.dumps(draw(st.sampled_from(VALID)))
    start, end = sorted(draw(st.tuples(*[st.integers(0, len(text))] * 2)))
    return text[:start] + draw(st.text()) + text[end:]


texts = st.one_of(
    st.text(st.characters()),
    values.map(json.dumps),
    mutated_documents(),
    mutated_texts(),
)
digests = st.one_of(st.just(sha256("a")), st.sampled_from(["sha512:x", "x", ""]), st.text())


def is_json(text: str) -> bool:
    """What Python's own reader says; it allows NaN where asked, which JSON does not."""

    def refuse(name: str) -> None:
        raise ValueError(name)

    try:
        return isinstance(json.loads(text, parse_constant=refuse), dict)
    except ValueError:
        return False


# The first Arrow table of a process takes seconds: pyarrow then looks for pandas.
without_deadline = settings(deadline=None)


@without_deadline
@given(text=texts, digest=digests)
@example(text="\ud800", digest="\ud800")
@example(text='{"mediaType": "\ud83d\\ude00"}', digest="")
def test_no_text_makes_reading_raise(text: str, digest: str) -> None:
    """What is invalid has a problem; what is unknown has none."""
    manifest = read_manifest(text, digest)
    assert manifest.kind is not Kind.INVALID or manifest.problem is not None
    assert manifest.kind is not Kind.UNKNOWN or manifest.problem is None
    if not is_json(text):
        assert manifest.kind is Kind.INVALID
    if manifest.problem:
        assert "\n" not in manifest.problem


@without_deadline
@given(st.lists(st.tuples(digests, texts), max_size=5))
def test_the_tables_can_always_be_built(pairs: list[tuple[str, str]]) -> None:
    """One row per digest, one per layer and one per child."""
    made = tables_of(pairs)
    assert [table.schema for table in made] == [
        MANIFESTS,
        LAYER_PREFIXES,
        MANIFEST_PREFIXES,
        PLATFORMS,
    ]
    for table in made:
        table.validate(full=True)
    rows = made.manifests.select(["manifest_digest", "source"]).to_pylist()
    assert {row["manifest_digest"] for row in rows if row["source"] == "tag"} == set(dict(pairs))
    assert len({row["manifest_digest"] for row in rows}) == len(rows)
    counts = made.manifests["layer_count"].to_pylist()
    assert layer_rows(made).num_rows == sum(count or 0 for count in counts)


@without_deadline
@given(st.permutations(["one", "two", "three", *map(json.dumps, VALID)]), st.randoms())
def test_neighbours_do_not_matter(order: list[str], chance: random.Random) -> None:
    """Each manifest has the same rows whatever it stands among."""
    pairs = [(sha256(text), text) for text in order]
    made = tables_of(pairs)
    digest, text = chance.choice(pairs)
    alone = tables_of([(digest, text)])
    for table, only, column in (
        (made.manifests, alone.manifests, "manifest_digest"),
        (layer_rows(made), layer_rows(alone), "manifest_digest"),
        (made.platforms, alone.platforms, "index_digest"),
    ):
        rows, rows_alone = (
            [row for row in each.to_pylist() if row[column] == digest] for each in (table, only)
        )
        assert rows == rows_alone
