"""The same work declared to dlt: its rest_api source, layers as a child table, tuned as it advises.

python benchmarks/peer_dlt.py FOLDER DATABASE URL CONNECTIONS
"""

import json
import os
import sys
import tempfile
from typing import Any

# dlt reads these when it is imported.
os.environ |= {
    "RUNTIME__DLTHUB_TELEMETRY": "false",
    "RUNTIME__LOG_LEVEL": "ERROR",
    "EXTRACT__WORKERS": sys.argv[4],
    "EXTRACT__MAX_PARALLEL_ITEMS": "64",
    "NORMALIZE__WORKERS": "2",
    "DATA_WRITER__BUFFER_MAX_ITEMS": "20000",
    "DATA_WRITER__FILE_MAX_ITEMS": "50000",
}
import dlt
from dlt.common.pipeline import LoadInfo
from dlt.sources.helpers.rest_client.paginators import OffsetPaginator
from dlt.sources.rest_api import rest_api_source
from measuring import measured
from requests import Response

PAGE_SIZE = 1000


class ContentRangePaginator(OffsetPaginator):
    """Takes the total from the header, which saves the empty page at the end."""

    def __init__(self) -> None:
        super().__init__(limit=PAGE_SIZE, total_path=None)

    def update_state(self, response: Response, data: list[Any] | None = None) -> None:
        """Go on to the next page while there is one."""
        del data
        self.current_value += self.value_step
        total = int(response.headers["Content-Range"].rpartition("/")[2])
        self._has_next_page = self.current_value < total


def with_layers(tag: dict[str, Any]) -> dict[str, Any]:
    """Replace the manifest's text by its layers, which become a child table."""
    layers = json.loads(tag.pop("manifest")).get("layers", [])
    tag["layers"] = [
        {
            "position": position,
            "blob_digest": layer["digest"],
            "size_bytes": layer["size"],
            "media_type": layer["mediaType"],
        }
        for position, layer in enumerate(layers)
    ]
    return tag


def load(database: str, url: str, pipelines_dir: str) -> LoadInfo:
    """Run the pipeline."""
    tags = "v2/manage/namespaces/{resources.repos.namespace}/repos/{resources.repos.name}/tags"
    source = rest_api_source(
        {
            "client": {
                "base_url": url,
                "headers": {"X-Auth-Token": "t", "Content-Type": "application/json"},
                "paginator": ContentRangePaginator(),
            },
            "resource_defaults": {"write_disposition": "replace"},
            "resources": [
                {"name": "repos", "endpoint": {"path": "v2/manage/repos"}, "selected": False},
                {
                    "name": "tags",
                    "parallelized": True,
                    "processing_steps": [{"map": with_layers}],
                    "endpoint": {
                        "path": tags,
                        "params": {"order_column": "updated_at", "order_type": "desc"},
                    },
                },
            ],
        }
    )
    pipeline = dlt.pipeline(
        "swr",
        destination=dlt.destinations.duckdb(database),
        dataset_name="main",
        pipelines_dir=pipelines_dir,
    )
    return pipeline.run(source, loader_file_format="parquet")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as directory, measured("dlt"):
        load(sys.argv[2], sys.argv[3], directory)
