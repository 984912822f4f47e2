"""Serves a registry that `registry.py` wrote, faster than any client reads it.

    python benchmarks/server.py FOLDER [--day 1] [--latency-ms 40]

Prints its URL. Speaks as much of SWR as reading it takes: namespaces, repositories, and their tags
by offset, limit and order, with the total in `Content-Range`. Any token will do.
"""

import argparse
import json
import mmap
import socket
import threading
import time
from array import array
from itertools import pairwise
from pathlib import Path

from registry import DAYS, Repository

Answer = tuple[bytes | memoryview, str]


class Registry:
    """One day of a registry on disk."""

    def __init__(self, folder: Path, day: int) -> None:
        described = json.loads((folder / "registry.json").read_text())
        self._day = day
        self._offsets = array("q", (folder / "offsets.bin").read_bytes())
        with (folder / "records.bin").open("rb") as file:
            self._records = memoryview(mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ))
        repositories = [Repository(*row) for row in described["repositories"]]
        self._repositories = {f"{row.namespace}/repos/{row.name}": row for row in repositories}
        self._listed = {row: self._describe(row) for row in repositories}

    def answer(self, path: str, parameters: dict[str, str]) -> Answer | None:
        """Body and `Content-Range` for a request; None where there is no such thing."""
        offset, limit = (int(parameters.get(name, default)) for name, default in _PAGE)
        if path == "/v2/manage/namespaces":
            names = sorted({row.namespace for row in self._listed})
            return json.dumps({"namespaces": [{"name": name} for name in names]}).encode(), ""
        if path == "/v2/manage/repos":
            return self._list(parameters.get("namespace"), offset, limit)
        name = path.removeprefix("/v2/manage/namespaces/")
        repository = self._repositories.get(name.removesuffix("/tags"))
        if repository is None:
            return None
        if name.endswith("/tags"):
            return self._tags(repository, offset, limit, parameters.get("order_type", "desc"))
        return self._listed[repository], ""

    def _list(self, namespace: str | None, offset: int, limit: int) -> Answer:
        rows = [text for row, text in self._listed.items() if namespace in (None, row.namespace)]
        page = rows[offset : offset + limit]
        return b"[" + b",".join(page) + b"]", f"{offset}-{len(page)}/{len(rows)}"

    def _tags(self, repository: Repository, offset: int, limit: int, order: str) -> Answer:
        total = self._total(repository)
        count = max(0, min(limit, total - offset))
        content_range = f"{offset}-{count}/{total}"
        newest = repository.first_row + (repository.pushes if self._day == DAYS[0] else 0)
        if not count:
            return b"[]", content_range
        if order == "desc":
            first = newest + offset
            # The last record's comma is left out; the brackets are added when it is sent.
            start, end = self._offsets[first], self._offsets[first + count] - 1
            return self._records[start:end], content_range
        last = newest + total - offset
        places = pairwise(self._offsets[last - count : last + 1])
        records = [self._records[start : end - 1] for start, end in places]
        return b"[" + b",".join(reversed(records)) + b"]", content_range

    def _total(self, repository: Repository) -> int:
        return repository.tags + (repository.pushes if self._day != DAYS[0] else 0)

    def _describe(self, repository: Repository) -> bytes:
        return json.dumps(
            {
                "name": repository.name,
                "namespace": repository.namespace,
                "num_images": self._total(repository),
                "is_public": False,
                "size": 0,
                "num_download": 0,
                "created_at": "2023-01-01T00:00:00Z",
                "updated_at": "2026-01-01T00:00:00Z",
            }
        ).encode()


_PAGE = (("offset", "0"), ("limit", "100"))


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--day", type=int, default=DAYS[0], choices=DAYS)
    parser.add_argument("--latency-ms", type=float, default=0)
    asked = parser.parse_args()
    registry = Registry(asked.folder, asked.day)
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listening:
        print(f"http://127.0.0.1:{listening.getsockname()[1]}", flush=True)
        while True:
            connection, _ = listening.accept()
            threading.Thread(
                target=_exchange,
                args=(connection, registry, asked.latency_ms / 1000),
                daemon=True,
            ).start()


def _exchange(connection: socket.socket, registry: Registry, latency: float) -> None:
    """Answer one connection's requests until the client hangs up."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with connection:
        asked = b""
        while received := _receive(connection):
            asked += received
            if not asked.endswith(b"\r\n\r\n"):
                continue
            target = asked.split(b" ", 2)[1].decode()
            asked = b""
            if latency:
                time.sleep(latency)
            path, _, query = target.partition("?")
            fields = (field.partition("=") for field in query.split("&"))
            _reply(connection, registry.answer(path, {name: text for name, _, text in fields}))


def _receive(connection: socket.socket) -> bytes:
    try:
        return connection.recv(65536)
    except ConnectionError:
        return b""


def _reply(connection: socket.socket, answer: Answer | None) -> None:
    status = "404 Not Found" if answer is None else "200 OK"
    body, content_range = answer or (b"{}", "")
    opening, closing = (b"[", b"]") if isinstance(body, memoryview) else (b"", b"")
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n"
        f"Content-Range: {content_range}\r\n"
        f"Content-Length: {len(body) + len(opening) + len(closing)}\r\n\r\n"
    )
    connection.sendall(head.encode() + opening, socket.MSG_MORE)
    connection.sendall(body, socket.MSG_MORE if closing else 0)
    if closing:
        connection.sendall(closing)


if __name__ == "__main__":
    main()
