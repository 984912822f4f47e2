"""Tags and their blobs as a file for `ncdu -f`, in its export format 1.2.

A directory for each namespace, repository and tag, a file for each blob in it. A blob of several
tags is one file with hard links, so that ncdu counts it once in each directory: a tag's directory
has its logical bytes, all others their deduplicated ones.
"""

from collections.abc import Iterator, Sequence
from importlib.metadata import version
from itertools import groupby, islice
from typing import Any

import msgspec

from pipelines.warehouse.tag_tree import TagTree

_encode = msgspec.json.Encoder().encode
# Of the format's numbers for files those of one device are told apart by `ino`.
_DEVICE = 1
_FORMAT = (1, 2)
Tag = tuple[str, str, str, bool, int]


def ncdu_file(tree: TagTree) -> Iterator[bytes]:
    """Write the file, piece by piece."""
    about = {
        "progname": "swr-warehouse",
        "progver": version("swr-warehouse"),
        "timestamp": int(tree.as_of.timestamp()),
    }
    major, minor = _FORMAT
    yield b"[%d,%d,%b,\n" % (major, minor, _encode(about))
    yield from _directory({"name": f"/{tree.registry}", "dev": _DEVICE}, _namespaces(tree))
    yield b"]\n"


def _namespaces(tree: TagTree) -> Iterator[bytes]:
    files = list(map(_file, range(1, tree.blobs.num_rows + 1), *_columns(tree.blobs, _OF_BLOBS)))
    links = (files[place] for place in tree.links.to_numpy())
    tags: Iterator[Tag] = zip(*_columns(tree.tags, _OF_TAGS), strict=True)
    for namespace, inside in groupby(tags, key=lambda tag: tag[0]):
        yield from _directory({"name": namespace}, _repositories(inside, links))


_OF_BLOBS = ("blob_digest", "size_bytes", "link_count")
_OF_TAGS = ("namespace", "repository", "tag", "is_open", "link_count")


def _columns(table: Any, names: Sequence[str]) -> list[list[Any]]:
    return [table[name].to_pylist() for name in names]


def _repositories(tags: Iterator[Tag], links: Iterator[bytes]) -> Iterator[bytes]:
    for repository, inside in groupby(tags, key=lambda tag: tag[1]):
        yield from _directory({"name": repository}, _tags(inside, links))


def _tags(tags: Iterator[Tag], links: Iterator[bytes]) -> Iterator[bytes]:
    for _, _, tag, is_open, count in tags:
        # ncdu marks what it could not read whole.
        mark = {"read_error": True} if is_open else {}
        yield from _directory({"name": tag} | mark, islice(links, count))


def _directory(info: dict[str, Any], inside: Iterator[bytes]) -> Iterator[bytes]:
    yield b"[" + _encode(info)
    for piece in inside:
        # A directory inside comes in pieces of which only the first begins an element.
        yield b",\n" + piece if piece[:1] in b"[{" else piece
    yield b"]"


def _file(number: int, digest: str, size: int | None, links: int) -> bytes:
    info: dict[str, Any] = {"name": digest}
    info |= {"read_error": True} if size is None else {"asize": size, "dsize": size}
    if links > 1:
        info |= {"ino": number, "hlnkc": True, "nlink": links}
    return _encode(info)
