"""Reading takes time and memory in proportion to the text, however hostile it is."""

import json
import time
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from manifest_texts import FOREIGN, GZIP, OCI, Json, blob, image, index, schema1, sha256, tables_of

from pipelines.digests import is_well_formed
from pipelines.images.media_types import is_stored

SHORT, FACTOR = 2**15, 8
# What is linear takes 8 times as long for 8 times the text, what is quadratic 64 times.
MOST = 3 * FACTOR
ROUNDS = 5


def seconds(text: str) -> float:
    """The processor time of this thread that reading a text takes."""
    start = time.thread_time()
    tables_of([(sha256("of another text"), text)])
    return time.thread_time() - start


def assert_linear(short: str, long: str) -> None:
    """A text 8 times as long takes about 8 times as long, by the best of some readings."""
    best_of_short = best_of_long = float("inf")
    for _ in range(ROUNDS):
        best_of_short = min(best_of_short, *(seconds(short) for _ in range(3)))
        best_of_long = min(best_of_long, seconds(long))
        if best_of_long <= MOST * best_of_short:
            return
    pytest.fail(f"{best_of_short} s became {best_of_long} s: {short[:100]}")


def assert_repeats_linear(before: str, repeated: str, after: str) -> None:
    """A text with a part repeated is read in linear time."""
    times = SHORT // len(repeated)
    assert_linear(*(f"{before}{repeated * n}{after}" for n in (times, FACTOR * times)))


HOLE: Any = "HOLE"
LAYER = json.dumps(blob("a", 7)) + ","
ODD_LAYER = json.dumps(blob("a", 7, 5)) + ","
ODD_CHILD = json.dumps(blob("a", 7, OCI, platform={"os": 5}, annotations=7)) + ","
CONFIG = json.dumps(blob("c")) + ","
EMBEDDED = json.dumps(blob("{}", 2, OCI, data=b64encode(b"{}").decode())) + ","
UNVERIFIED = json.dumps(blob("a", 2, OCI, data=b64encode(b"{}" * 50).decode())) + ","
SIGNATURE = json.dumps({"protected": "e30"}) + ","
DOCUMENTS: list[tuple[Json, str]] = [
    *((image(HOLE, blob("a", 7)), part) for part in (LAYER, ODD_LAYER, "5,", "[],", "{},", "[")),
    *((index(HOLE, blob("a", 7, OCI)), part) for part in (ODD_CHILD, EMBEDDED, UNVERIFIED, LAYER)),
    (schema1(HOLE) | {"fsLayers": [HOLE, {"blobSum": sha256("a")}]}, '{"blobSum":7},'),
    (schema1("a", signatures=[HOLE, {"protected": "e30"}]), SIGNATURE),
]
VALUES = [
    *(("digest", part) for part in ("a", "a-", "a+", "a.", "-", ":", "F", "sha256:", "\\u0061")),
    *(("mediaType", part) for part in ("a", "/", "/a+json", "config", " ", ";", "A", "a/b;")),
    *(("data", part) for part in ("e30=", "=", "e", " ")),
    *(("size", part) for part in ("9", "-", "0", "1.", "1e")),
    *(("protected", part) for part in ("e", "=", "eyJ")),
]


@pytest.mark.parametrize(("document", "part"), DOCUMENTS)
def test_many_parts_take_linear_time(document: object, part: str) -> None:
    """Those that are well-formed and those that are not."""
    before, _, after = json.dumps(document).partition(f'"{HOLE}", ')
    assert_repeats_linear(before, part, after)


@pytest.mark.parametrize(("field", "part"), VALUES)
def test_a_long_value_takes_linear_time(field: str, part: str) -> None:
    """In a layer, in a child, in a signature; as a text or as a number."""
    odd = blob("a", 7, OCI) | {field: HOLE}
    signed = schema1("a", signatures=[odd])
    for document in (image(odd), index(odd), image(**{field: HOLE}), signed):
        before, _, after = json.dumps(document).partition(HOLE)
        assert_repeats_linear(before, part, after)
        assert_repeats_linear(before.removesuffix('"'), part, after.removeprefix('"'))


@pytest.mark.parametrize(
    "part",
    ["[", "{", '{"layers":', '"', "\\", '"\\', "\\ud800", "\ud800", " ", "\x00", ",", '{"":', "1"],
)
def test_what_is_hardly_json_takes_linear_time(part: str) -> None:
    """Within a manifest, and alone."""
    document = json.dumps(image(blob("a", 7)))
    for before, after in (
        ("", ""),
        (document[:-1] + ', "x": ', "}"),
        (document[:-1] + ', "x": "', '"}'),
    ):
        assert_repeats_linear(before, part, after)


FRAGMENTS = ["[", "]", "{", "}", '"', ",", ":", "\\", "\\u", "d800", "a", "7", "-", "+", "/", ";"]


@settings(deadline=None, max_examples=25)
@given(st.lists(st.sampled_from([*FRAGMENTS, LAYER, CONFIG, GZIP]), min_size=1, max_size=6))
def test_anything_repeated_takes_linear_time(fragments: list[str]) -> None:
    """After the beginning of a manifest, and with its end."""
    document = json.dumps(image(blob(HOLE, 7, HOLE), artifactType=HOLE))
    before, after, *_ = document.split(HOLE)
    assert_repeats_linear(before, "".join(fragments), after)


def test_a_child_that_embeds_children_takes_linear_time() -> None:
    """As deep as the text is long."""

    def nested(length: int) -> str:
        text = "{}"
        while len(text) < length:
            data = b64encode(text.encode()).decode()
            text = json.dumps(index({"mediaType": OCI, "digest": sha256(text), "data": data}))
        return text

    assert_linear(nested(SHORT), nested(FACTOR * SHORT))


def test_no_long_text_is_kept_in_a_cache() -> None:
    """What is remembered of digests and media types is bounded, whatever a registry sends."""
    caches = (is_well_formed, is_stored)
    for cache in caches:
        cache.cache_clear()
    odd = {"digest": "a-" * 5000 + ":" + "a" * 5000, "mediaType": FOREIGN + "x" * 5000}
    tables_of([(sha256("a"), json.dumps(image(odd, config=odd, mediaType="x" * 5000)))])
    tables_of([(sha256("a"), json.dumps(index(odd)))])
    assert [cache.cache_info().currsize for cache in caches] == [0, 1]
