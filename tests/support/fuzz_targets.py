"""Fuzzes what reads manifests and records, guided by coverage.

A program of its own, because the fuzzer ends its process:
`fuzz_targets.py manifest|record CORPUS [libFuzzer's flags]`. `manifest` and `record` say what must
hold of every input; the flags bound the memory and time an input may take.
"""

import json
import random
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import atheris
import msgspec

with atheris.instrument_imports(include=["pipelines"]):
    from pipelines.images.json_shapes import MAXIMUM_SIZE, Child, Descriptor
    from pipelines.images.manifest import Kind, read_manifest
    from pipelines.images.tables import image_tables
    from pipelines.landing.writer import LandedPage
    from pipelines.run.normalize import Chunk, _chunk
    from pipelines.swr.json_parts import array_elements
    from pipelines.swr.wire import list_records

from layer_rows import layer_rows
from manifest_texts import (
    DOCKER,
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

ARTIFACT = "application/vnd.oci.artifact.manifest.v1+json"
MANIFESTS = [
    image(blob("a"), blob("b", 7, FOREIGN), subject={"digest": sha256("c")}),
    image(blob("a"), blob("a", 2), artifactType="application/x"),
    index(blob("a", platform={"os": "linux", "variant": "v8"}, annotations={"x": "y"})),
    index(blob("a", annotations={"vnd.docker.reference.type": "attestation-manifest"})),
    index(blob("{}", 2, OCI, data="e30="), blob("a", 7)),
    index(blob("a", 7), blob("b", 0)),
    schema1("b", "a", signatures=[{"protected": "eyJmb3JtYXRMZW5ndGgiOjF9"}]),
    {"mediaType": ARTIFACT, "blobs": [blob("a")]},
    {"mediaType": DOCKER, "layers": []},
]
RECORD = {
    "id": 1,
    "repo_id": 2,
    "Tag": "v1",
    "image_id": "c0ffee",
    "manifest": json.dumps(MANIFESTS[0]),
    "digest": sha256("x"),
    "schema": 2,
    "path": "swr.example.com/shop/cart:v1",
    "internal_path": "10.0.0.1:20202/shop/cart:v1",
    "size": 1234,
    "is_trusted": False,
    "created": "2026-03-01T00:00:00.123456789Z",
    "updated": "2026-03-01T00:00:00Z",
    "deleted": "0001-01-01T00:00:00Z",
    "domain_id": "d",
    "scanned": False,
    "tag_type": 0,
}
RECORDS_SEEN = [
    RECORD,
    RECORD | {"deleted": "2026-03-02T00:00:00+08:00"},
    {"tag": "x"},
    "no record",
]
VALUES: list[Any] = [
    *(
        None,
        True,
        "",
        "\x00",
        "\ud800",
        [],
        {},
        [[]],
        {"digest": sha256("a")},
        sha256("a"),
        sha256("a").upper(),
        sha256("a").removeprefix("sha256:"),
        "sha512:x",
    ),
    *(0, -1, 2**31, 2**46 + 1, 2**53 + 1, 2**63, 2**64, 10**400, 0.5, 1e300, "7", "\u0667", "1e3"),
    *(OCI, OCI_INDEX, DOCKER_LIST, FOREIGN, ARTIFACT, "linux", "2026-03-01T00:00:00Z"),
    *("9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "2026-02-30T00:00:00Z"),
    *("0000-00-00T00:00:00Z", "2026-03-01T00:00:60Z", "2026-03-01T00:00:00.1234567891Z"),
]
NEIGHBOUR = json.dumps(RECORD | {"Tag": "neighbour"}).encode()
LISTED = list_records(b"[" + NEIGHBOUR + b"]")[0]


def manifest(data: bytes) -> None:
    """It is rows, or invalid with a problem; its sizes are exact everywhere; twice is the same."""
    text = data.decode("utf-8", "surrogateescape")
    digest = sha256("a") if len(data) % 2 else data[:80].decode("utf-8", "replace")
    made = read_manifest(text, digest)
    assert made == read_manifest(text, digest)
    assert made.kind is not Kind.INVALID or made.problem
    assert "\n" not in (made.problem or "")
    sized: list[Descriptor | Child] = [*made.layers, *made.children]
    sized += [made.config] if made.config else []
    assert all(one.size is None or 0 <= one.size <= MAXIMUM_SIZE for one in sized)
    tables = image_tables([made])
    assert tables.manifests.num_rows == 1
    read = [(layer.digest, layer.size, layer.media_type) for layer in made.layers]
    columns = ("blob_digest", "size_bytes", "media_type")
    assert [tuple(row[c] for c in columns) for row in layer_rows(tables).to_pylist()] == read
    assert tables.platforms.num_rows == len(made.children)
    tables_of([(digest, text)])


def record(data: bytes) -> None:
    """It is a row or set aside with its reason and text, and its neighbours are read as ever."""
    body = b"[" + NEIGHBOUR + b"," + data + b"," + NEIGHBOUR + b"]"
    try:
        listed = list_records(body)
    except msgspec.MsgspecError:
        assert not is_json(data)
        return
    assert listed == list_records(body)
    assert (listed[0], listed[-1]) == (LISTED, LISTED)
    if is_json(data):
        assert len(listed) == 3
    raws = array_elements(body)
    chunk = read(body)
    assert chunk.tags.num_rows + chunk.rejected.num_rows == len(raws) == len(listed)
    assert chunk.tags.slice(0, 1).equals(ALONE)
    assert chunk.tags.slice(chunk.tags.num_rows - 1).equals(ALONE)
    texts = {raw.decode("utf-8", "backslashreplace") for raw in raws}
    assert set(chunk.rejected["record"].to_pylist()) <= texts
    assert all(chunk.rejected["reason"].to_pylist())


def is_json(data: bytes) -> bool:
    """Whether Python's own reader finds one value."""
    try:
        json.loads(data.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return False
    return True


def read(body: bytes) -> Chunk:
    """Read a page as it lies in a landing."""
    chunk = _chunk(iter([LandedPage("n", "r", 0, 1, None, body)]), lambda _: ())
    assert chunk is not None
    return chunk


ALONE = read(b"[" + NEIGHBOUR + b"]").tags


def mutated(data: bytes, most: int, seed: int) -> bytes:
    """Half of the time a value of the document is replaced, else bytes of its text."""
    draw = random.Random(seed)
    changed = b""
    if draw.random() < 0.5:
        # What is no document, an empty one or one too deep has its bytes replaced.
        with suppress(ValueError, IndexError, RecursionError):
            changed = replaced(data, draw)[:most]
    return changed or bytes(atheris.Mutate(data, most))


def replaced(data: bytes, draw: random.Random) -> bytes:
    """A document with another value in one place."""
    document = json.loads(data)
    holder, key = draw.choice(list(containers(document)))
    holder[key] = replacement(holder[key], draw)
    text = json.dumps(document, ensure_ascii=draw.random() < 0.5)
    return text.encode("utf-8", "surrogatepass")


def replacement(value: Any, draw: random.Random) -> Any:
    """Another value: one of the odd ones, or that of a manifest within a text."""
    if isinstance(value, str) and value.startswith("{") and draw.random() < 0.8:
        return mutated(value.encode(), 4096, draw.randrange(2**31)).decode("utf-8", "replace")
    return draw.choice([*VALUES, *MANIFESTS])


def containers(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every list and object of a document with each of its keys."""
    items: Any = ()
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in list(items):
        yield value, key
        yield from containers(inner)


def main() -> None:
    """Fuzz one of them from real shapes and one that is too deep."""
    target, corpus = sys.argv[1], Path(sys.argv[2])
    seen: list[Any] = MANIFESTS if target == "manifest" else RECORDS_SEEN
    for number, text in enumerate([*map(json.dumps, seen), "[" * 1500 + "]" * 1500]):
        (corpus / str(number)).write_text(text)
    check: Callable[[bytes], None] = {"manifest": manifest, "record": record}[target]
    atheris.Setup([sys.argv[0], *sys.argv[2:]], check, custom_mutator=mutated)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
