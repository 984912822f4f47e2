"""One row per digest: which text of several is stored, with its own layers and children."""

from collections import Counter
from collections.abc import Sequence
from hashlib import sha256
from operator import itemgetter
from pathlib import Path
from random import Random
from typing import Any

import pytest
from duckdb import DuckDBPyConnection
from layer_rows import listed_layers
from warehouse_rows import (
    REGISTRY,
    Row,
    as_of,
    crawl,
    found_in,
    layer,
    manifest,
    run_row,
    table,
    tag,
)

from pipelines import schemas
from pipelines.warehouse import load
from pipelines.warehouse.building import connect_building, start_building

STORED = "select manifest_digest, manifest, first_seen_at from manifests order by manifest_digest"
LAYERS = "select manifest_digest, position, blob_digest from layers order by all"
CHILDREN = "select index_digest, position, manifest_digest from platforms order by all"


def _text(digest: str, text: str, **other: Any) -> Row:
    return manifest(digest, manifest=text, manifest_bytes=len(text), **other)


def _child(index: str, position: int, digest: str) -> Row:
    return {
        "index_digest": index,
        "position": position,
        "manifest_digest": digest,
        "is_attestation": False,
    }


def _store(
    con: DuckDBPyConnection,
    run: int,
    manifests: Sequence[Row],
    layers: Sequence[Row] = (),
    platforms: Sequence[Row] = (),
) -> None:
    load.load_images(
        con,
        (
            table(manifests, schemas.MANIFESTS),
            *listed_layers(layers),
            table(platforms, schemas.PLATFORMS),
        ),
        as_of(run),
    )


def _stored_of(directory: Path, calls: Sequence[Sequence[Row]]) -> list[tuple[Any, ...]]:
    """What is stored after one call per sequence of manifests, each of a run of its own."""
    start_building(directory)
    with connect_building(directory) as con:
        load.begin(con, REGISTRY)
        for run, manifests in enumerate(calls, 1):
            _store(con, run, manifests)
        return con.sql(STORED).fetchall()


def test_the_first_text_of_a_digest_is_stored_once(tmp_path: Path) -> None:
    """The same text again changes nothing."""
    again = [_text("A", "one"), _text("B", "two")]
    assert _stored_of(tmp_path, [again, again]) == [("A", "one", as_of(1)), ("B", "two", as_of(1))]


def test_the_better_text_of_a_digest_is_kept(tmp_path: Path) -> None:
    """Verified first, then not invalid, then the fewest bytes, then the lesser text; in whichever
    order they come.
    """
    unverified = {"digest_verified": False}
    unknown = {"digest_verified": None}
    invalid = {"manifest_kind": "invalid"}
    signed = {"manifest_kind": "schema1"}
    pairs = {
        "verified": (_text("verified", "longer"), _text("verified", "l", **unverified)),
        "known": (_text("known", "longer"), _text("known", "l", **unknown)),
        "valid": (
            _text("valid", "longer", **unknown),
            _text("valid", "l", **unverified, **invalid),
        ),
        "short": (_text("short", "zz", **signed), _text("short", "aaa", **signed)),
        "lesser": (_text("lesser", "aa", **unknown), _text("lesser", "ab", **unverified)),
    }
    better = [pair[0] for pair in pairs.values()]
    worse = [pair[1] for pair in pairs.values()]
    texts = sorted((name, pair[0]["manifest"]) for name, pair in pairs.items())
    at_once = [(name, best, as_of(1)) for name, best in texts]
    for number, calls in enumerate(([worse, better], [better, worse])):
        assert _stored_of(tmp_path / str(number), calls) == at_once


def test_a_replaced_text_takes_its_layers_and_children_along(tmp_path: Path) -> None:
    """The digest's neighbours keep theirs, and it keeps the moment it was first seen."""
    start_building(tmp_path)
    with connect_building(tmp_path) as con:
        load.begin(con, REGISTRY)
        _store(
            con,
            1,
            [
                _text("A", "long text", layer_count=2, digest_verified=False),
                _text("B", "text", layer_count=1),
                _text("I", "long index", manifest_kind="index", digest_verified=False),
            ],
            [layer("A", 0, "a0"), layer("A", 1, "a1"), layer("B", 0, "b0")],
            [_child("I", 0, "A"), _child("I", 1, "B")],
        )
        _store(
            con,
            2,
            [
                _text("A", "short", layer_count=1, digest_verified=False),
                _text("B", "text", layer_count=1),
                _text("I", "index", manifest_kind="index", digest_verified=False),
            ],
            [layer("A", 0, "new"), layer("B", 0, "b0")],
            [_child("I", 0, "C")],
        )
        assert con.sql(STORED).fetchall() == [
            ("A", "short", as_of(1)),
            ("B", "text", as_of(1)),
            ("I", "index", as_of(1)),
        ]
        assert con.sql(LAYERS).fetchall() == [("A", 0, "new"), ("B", 0, "b0")]
        assert con.sql(CHILDREN).fetchall() == [("I", 0, "C")]


def test_a_replaced_text_tells_its_tags_their_kind(tmp_path: Path) -> None:
    """In repositories that were not read again, too."""
    invalid = manifest("A", manifest_kind="invalid", digest_verified=False)
    start_building(tmp_path)
    with connect_building(tmp_path) as con:
        load.begin(con, REGISTRY)
        _store(con, 1, [invalid, manifest("B", manifest_kind="artifact")])
        load.stage_tags(con, table([tag("a", "A"), tag("b", "B"), tag("c", "A")], schemas.TAGS))
        load.apply(con, run_row(1), found_in(), table([crawl(1)], schemas.CRAWLS))
        kinds = "select tag, manifest_kind from tags order by tag"
        assert con.sql(kinds).fetchall() == [("a", "invalid"), ("b", "artifact"), ("c", "invalid")]
        _store(con, 2, [manifest("A"), manifest("B")])
        assert con.sql(kinds).fetchall() == [("a", "image"), ("b", "artifact"), ("c", "image")]


def test_final_digests_are_those_no_other_text_can_better(tmp_path: Path) -> None:
    """Stored, verified, and without signatures beside what the digest covers."""
    start_building(tmp_path)
    with connect_building(tmp_path) as con:
        load.begin(con, REGISTRY)
        _store(
            con,
            1,
            [
                manifest("image"),
                manifest("index", manifest_kind="index"),
                manifest("unverified", digest_verified=False),
                manifest("unknown", digest_verified=None),
                manifest("signed", manifest_kind="schema1"),
                manifest("invalid", manifest_kind="invalid"),
                manifest("not asked for"),
            ],
        )
        asked = ["image", "index", "unverified", "unknown", "signed", "invalid", "never seen"]
        assert load.final_digests(con, asked) == {"image", "index"}
        assert load.final_digests(con, []) == set()


def _random_layers(random: Random, digest: str) -> list[Row]:
    """Some of few layers, stated in few ways; two digests in one text hash as one after another."""
    layers: list[Row] = []
    text = ""
    for position in range(random.randint(0, 4)):
        blob = random.choice(["a", "b", "a\nb"])
        text += f"{blob}\n"
        layers.append(
            {
                "manifest_digest": digest,
                "position": position,
                "blob_digest": blob,
                "size_bytes": random.choice([None, 1, 2]),
                "media_type": random.choice([None, "x"]),
                "is_stored": random.random() < 0.8,
                "prefix_digest": sha256(text.encode()).hexdigest(),
            }
        )
    return layers


@pytest.mark.parametrize("seed", range(10))
def test_a_series_is_stored_once_and_each_manifest_has_its_own(tmp_path: Path, seed: int) -> None:
    """Whatever of it differs, in whichever load it comes; no number is given twice."""
    random = Random(seed)
    every: list[Row] = []
    start_building(tmp_path)
    with connect_building(tmp_path) as con:
        load.begin(con, REGISTRY)
        for run in range(1, 5):
            digests = [f"{run}-{number}" for number in range(random.randint(0, 12))]
            layers = [layer for digest in digests for layer in _random_layers(random, digest)]
            _store(con, run, [manifest(digest) for digest in digests], layers)
            every += layers
        stored = con.sql("from layers order by manifest_digest, position").to_arrow_table()
        kept = con.sql("select * exclude (prefix_key) from ingest.layer_prefixes").fetchall()
        keys = con.sql("select prefix_key from ingest.layer_prefixes order by 1").fetchall()
    in_order = sorted(every, key=itemgetter("manifest_digest", "position"))
    assert stored.to_pylist() == in_order
    columns = schemas.LAYER_PREFIXES.names[1:]
    assert Counter(kept) == Counter({tuple(row[c] for c in columns) for row in every})
    assert keys == [(number,) for number in range(len(kept))]
