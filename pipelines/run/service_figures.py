"""What the service itself says of the whole account: counts to hold ours against, and storage.

Kept as it was said. That it says nothing is no failure of a run.
"""

from typing import Any

import msgspec
import pyarrow as pa

from pipelines.errors import SwrError
from pipelines.run.clock import present
from pipelines.schemas import SERVICE_FIGURES
from pipelines.swr.client import SwrClient

_NAMES = ("overview", "reports/store/daily")


class _Overview(msgspec.Struct, rename={"namespace_num": "namspace_num"}):
    """The overview's counts; the API spells the first one so."""

    namespace_num: int | None = None
    repo_num: int | None = None
    image_num: int | None = None
    store_space: float | None = None


def read_service_figures(client: SwrClient) -> pa.Table:
    """Ask for what the service says: SERVICE_FIGURES."""
    return pa.Table.from_pylist([_read(client, name) for name in _NAMES], schema=SERVICE_FIGURES)


def _read(client: SwrClient, name: str) -> dict[str, Any]:
    row: dict[str, Any] = {"name": name, "asked_at": present()}
    try:
        answer = client.service_figure(name)
    except SwrError as error:
        return row | {"error": str(error)}
    row["answer"] = answer.decode("utf-8", "replace")
    return row | (_counts(answer) if name == "overview" else {})


def _counts(answer: bytes) -> dict[str, Any]:
    try:
        said = msgspec.json.decode(answer, type=_Overview)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return {}
    return {
        "namespace_count": said.namespace_num,
        "repository_count": said.repo_num,
        "tag_count": said.image_num,
        "stored": said.store_space,
    }
