"""Catalogues: files of tag records become a registry, or one clear sentence."""

import gzip
import json
from collections import Counter
from pathlib import Path

import pytest
from checkout import SHARED

from pipelines.emulator.catalogue import read_catalogues
from pipelines.errors import CatalogueError

DATA = SHARED / "data"
RECORD = {"id": 1, "Tag": "a", "path": "swr.example:443/group/deep/app:a", "digest": "sha256:1"}


def written(path: Path, *records: object) -> Path:
    """Write records as a catalogue, gzipped if its name says so."""
    text = "".join(json.dumps(record) + "\n" for record in records).encode()
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
    return path


def test_several_files_become_one_registry(tmp_path: Path) -> None:
    """Plain and gzipped; of two records for a tag the later stays, blank lines do not matter."""
    newer = RECORD | {"digest": "sha256:2"}
    other = RECORD | {"Tag": "b", "path": "swr.example/second/app:b", "new_field": {"x": "größe"}}
    plain = written(tmp_path / "one.jsonl", RECORD)
    plain.write_bytes(plain.read_bytes() + b"\n  \n")
    registry = read_catalogues([plain, written(tmp_path / "two.jsonl.gz", other, newer)])
    assert [tag.wire for tag in registry.tags("group", "deep/app")] == [newer]
    assert [tag.wire for tag in registry.tags("second", "app")] == [other]
    assert registry.tag_count == 2


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b'{"Tag": ', "not JSON: Expecting value"),
        (b"[1, 2]", "not a JSON object"),
        (b"\xff\xfe{}", "codec can't decode"),
        (b'{"Tag": "a"}', "it has no path"),
        (b'{"Tag": "a", "path": "host/app:a"}', "'host/app:a' is not host/namespace/repository"),
        (b"[" * 100_000, "recursion"),
    ],
)
def test_an_unreadable_line_is_named(tmp_path: Path, line: bytes, problem: str) -> None:
    """By file and number."""
    file = written(tmp_path / "bad.jsonl", RECORD)
    file.write_bytes(file.read_bytes() + line + b"\n")
    with pytest.raises(CatalogueError) as caught:
        read_catalogues([file])
    assert str(caught.value).startswith(f"{file}, line 2: ")
    assert problem in str(caught.value)


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    """Missing, no gzip, cut off or a folder."""
    whole = written(tmp_path / "whole.jsonl.gz", *[RECORD] * 100)
    cut = tmp_path / "cut.jsonl.gz"
    cut.write_bytes(whole.read_bytes()[:-12])
    text = tmp_path / "text.jsonl.gz"
    text.write_bytes(b"no gzip")
    for file in (tmp_path / "missing.jsonl", cut, text, tmp_path):
        with pytest.raises(CatalogueError) as caught:
            read_catalogues([file])
        assert str(caught.value).startswith(f"{file} cannot be read: ")


@pytest.mark.skipif(not DATA.is_dir(), reason="the folder of test data is not beside the checkout")
@pytest.mark.parametrize("name", ["manifests.jsonl.gz", "registry.jsonl.gz"])
def test_real_records_are_kept_verbatim(name: str) -> None:
    """Every record of the test data is where its path says, as it was."""
    with gzip.open(DATA / name) as lines:
        records = [json.loads(line) for line in lines]
    registry = read_catalogues([DATA / name])
    repositories = [(row["namespace"], row["name"]) for row in registry.repository_records()]
    expected = Counter(record["path"].split("/", 1)[1].rsplit(":", 1)[0] for record in records)
    found = {f"{owner}/{name}": registry.tags(owner, name) for owner, name in repositories}
    assert {repository: len(tags) for repository, tags in found.items()} == expected
    served = [json.loads(tag.text) for tags in found.values() for tag in tags]
    assert sorted(served, key=lambda record: record["id"]) == sorted(
        records, key=lambda record: record["id"]
    )
