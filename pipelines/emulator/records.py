"""Tag records as the API returns them: made from a push, located by their path, ordered in time.

Of a manifest only what the registry itself would tell is read here; a manifest that makes no
sense is taken in like any other.
"""

import json
import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

HOST = "swr.cn-north-4.myhuaweicloud.com"
DOMAIN_ID = "0503dda878000fed0f75c0096d70a960"
NEVER = "0001-01-01T00:00:00Z"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Below every moment that can be written: a record with an unreadable stamp is the oldest.
_BEFORE_ALL = -(10**30)
_FRACTION = re.compile(r"\.(\d{1,9})")


def stamp(moment: datetime) -> str:
    """Write a moment as the registry does: UTC, no zeros at the end of its fraction."""
    text = f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}"
    return text.rstrip("0").rstrip(".") + "Z"


def instant(text: object) -> int:
    """Read a stamp of 0 to 9 fraction digits as nanoseconds since 1970."""
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return _BEFORE_ALL
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    seconds = (moment - _EPOCH) // timedelta(seconds=1)
    fraction = _FRACTION.search(str(text))
    return seconds * 10**9 + (int(fraction[1].ljust(9, "0")) if fraction else 0)


def location(path: object) -> tuple[str, str]:
    """Namespace and repository named by `host[:port]/namespace/repository[/level…]:tag`.

    Raises:
        ValueError: the path names none.
    """
    if not isinstance(path, str):
        raise ValueError("it has no path")  # noqa: TRY004 - a fault of the record, not of the code
    _, _, below_host = path.partition("/")
    levels, slash, last = below_host.rpartition("/")
    name = levels + slash + last.partition(":")[0]
    namespace, _, repository = name.partition("/")
    if not repository or not all(name.split("/")):
        raise ValueError(f"its path {path!r} is not host/namespace/repository:tag")
    return namespace, repository


def tag_record(
    *,
    namespace: str,
    repository: str,
    tag: str,
    manifest: str,
    digest: str,
    ids: tuple[int, int],
    created: str,
    updated: str,
) -> dict[str, Any]:
    """Build the record of a tag that points at a manifest; `ids` are the tag's and repository's."""
    parsed = _parsed(manifest)
    path = f"{HOST}/{namespace}/{repository}:{tag}"
    return {
        "id": ids[0],
        "repo_id": ids[1],
        "Tag": tag,
        "image_id": _image_id(parsed),
        "manifest": manifest,
        "digest": digest,
        "schema": 1 if parsed.get("schemaVersion") == 1 else 2,
        "path": path,
        "internal_path": path,
        "size": _size(parsed),
        "is_trusted": False,
        "created": created,
        "updated": updated,
        "deleted": None,
        "domain_id": DOMAIN_ID,
        "scanned": False,
        "tag_type": 1 if "manifests" in parsed else 0,
    }


# One push names several tags.
@lru_cache(maxsize=1)
def _parsed(manifest: str) -> dict[str, Any]:
    try:
        parsed = json.loads(manifest)
    except (ValueError, RecursionError):
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _image_id(manifest: dict[str, Any]) -> str:
    config = manifest.get("config")
    digest = config.get("digest") if isinstance(config, dict) else None
    return digest.removeprefix("sha256:") if isinstance(digest, str) else ""


def _size(manifest: dict[str, Any]) -> int:
    """Bytes of config and layers as listed; 0 where they cannot be told."""
    config, layers = manifest.get("config"), manifest.get("layers")
    if not isinstance(config, dict) or not isinstance(layers, list):
        return 0
    sizes = [part.get("size") if isinstance(part, dict) else None for part in (config, *layers)]
    known = [size for size in sizes if type(size) is int]
    return sum(known) if len(known) == len(sizes) else 0
