"""The lake: tables as Parquet files in a directory or an object store, for engines that share them.

    tables/<schema>.<table>/<SHA-256>.parquet    a part of a table, named by what is in it
    versions/<moment>-<run>.json                 which parts made which table after a run
    work/<run>/                                  what an engine makes on the way

A part is made in memory and put once; what is there already, by its name, is not written again. A
version is written last: without one, its parts are a dead run's. What is in the tables is `mirror`.
"""

import hashlib
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import msgspec
import pyarrow as pa
import pyarrow.fs as pafs
import pyarrow.parquet as pq

from pipelines.errors import LakeError

# A reader may still be on the version before the latest.
_KEPT_VERSIONS = 2


class Version(msgspec.Struct, frozen=True):
    """Which parts made each table, by `schema.table`, after a run."""

    run_id: str
    tables: Mapping[str, list[str]]


class Rows(NamedTuple):
    """The rows of some Parquet files, in their order."""

    schema: pa.Schema
    batches: Iterator[pa.RecordBatch]


class Lake:
    """One lake, by a path or a URI that `pyarrow.fs` knows."""

    def __init__(self, place: str) -> None:
        """Find it; its folders are made when something is put there.

        Raises:
            LakeError: there is no file system of that kind.
        """
        try:
            uri = place if "://" in place else Path(place).absolute().as_uri()
            self._files, self._root = pafs.FileSystem.from_uri(uri)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise LakeError(f"SWR_LAKE is no place for a lake: {error}") from None
        self._scheme = urlsplit(uri).scheme

    def for_spark(self, path: str) -> str:
        """Name a file or folder of the lake as Spark does, by its own S3 client."""
        scheme = {"s3": "s3a"}.get(self._scheme, self._scheme)
        return f"{scheme}://{self._root}/{path}"

    def put_part(self, table: str, rows: pa.Table) -> str:
        """Have these rows in the lake, as a part of a table; give the part's path.

        Raises:
            LakeError: it cannot be written.
        """
        sink = pa.BufferOutputStream()
        pq.write_table(rows, sink, compression="zstd")
        data = sink.getvalue()
        path = f"tables/{table}/{hashlib.sha256(data).hexdigest()}.parquet"
        with _said(self._root):
            if self._files.get_file_info(f"{self._root}/{path}").size != data.size:
                self._put(path, data)
        return path

    def put_version(self, version: Version, moment: str) -> None:
        """Say what made up the tables after a run, and drop what none of the latest names.

        Raises:
            LakeError: it cannot be written.
        """
        with _said(self._root):
            self._put(f"versions/{moment}-{version.run_id}.json", msgspec.json.encode(version))
            for path in self._listed("versions", recursive=False)[:-_KEPT_VERSIONS]:
                self._files.delete_file(path)
            self._clear_parts()

    def versions(self) -> list[Version]:
        """The versions that are kept, the latest last."""
        with _said(self._root):
            return [
                msgspec.json.decode(self._files.open_input_stream(path).read(), type=Version)
                for path in self._listed("versions", recursive=False)
            ]

    @contextmanager
    def work(self) -> Iterator[str]:
        """Have a folder for what is made on the way, and none of a dead run's; gone afterwards.

        Raises:
            LakeError: it cannot be written.
        """
        with _said(self._root):
            self.remove("work")
            folder = f"work/{uuid.uuid4().hex}"
            self._files.create_dir(f"{self._root}/{folder}")
        try:
            yield folder
        finally:
            self.remove("work")

    def remove(self, folder: str) -> None:
        """Remove a folder with all that is in it."""
        if self._files.get_file_info(f"{self._root}/{folder}").type == pafs.FileType.Directory:
            self._files.delete_dir(f"{self._root}/{folder}")

    def rows(self, folder: str) -> Rows:
        """The rows of a folder, in the order of its files' names."""
        paths = [path for path in self._listed(folder) if path.endswith(".parquet")]
        schema = pq.read_schema(self._files.open_input_file(paths[0]))
        return Rows(schema, self._batches(paths))

    def _batches(self, paths: list[str]) -> Iterator[pa.RecordBatch]:
        for path in paths:
            with self._files.open_input_file(path) as file:
                yield from pq.ParquetFile(file).iter_batches()

    def _listed(self, folder: str, *, recursive: bool = True) -> list[str]:
        selector = pafs.FileSelector(
            f"{self._root}/{folder}", allow_not_found=True, recursive=recursive
        )
        found = self._files.get_file_info(selector)
        return sorted(info.path for info in found if info.type == pafs.FileType.File)

    def _clear_parts(self) -> None:
        named = {
            f"{self._root}/{part}"
            for version in self.versions()
            for parts in version.tables.values()
            for part in parts
        }
        for path in self._listed("tables"):
            if path not in named:
                self._files.delete_file(path)

    def _put(self, path: str, data: bytes | pa.Buffer) -> None:
        """Write a file that is there whole or not at all; an object store does so by itself."""
        whole = f"{self._root}/{path}"
        self._files.create_dir(whole.rpartition("/")[0])
        is_local = self._files.type_name == "local"
        beside = f"{whole}.{uuid.uuid4().hex}" if is_local else whole
        with self._files.open_output_stream(beside) as stream:
            stream.write(data)
        if is_local:
            self._files.move(beside, whole)


@contextmanager
def _said(root: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise LakeError(
            f"The lake {root} cannot be read or written ({error}):"
            " free some space, or set SWR_LAKE to another place."
        ) from error
