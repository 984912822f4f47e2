"""With SWR_LOG_FORMAT=json, standard error tells of a run in one JSON object a line."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from ingest_site import AT, Site, at_site, manifest

from pipelines.emulator.messages import Request, Response, gateway_error
from pipelines.emulator.registry import Registry
from pipelines.errors import SwrUnauthenticated
from pipelines.schemas import LAYERS_VIEW, TABLES

JSON = {"SWR_LOG_FORMAT": "json"}
WRONG_TOKEN = (
    "Incorrect IAM authentication information: decrypt token fail (status 401, code APIGW.0301)"
)
STARTED = {
    "level": "info",
    "message": "run started",
    "mode": "incremental",
    "scope": {"namespaces": [], "repositories": []},
}


def small() -> Registry:
    """One namespace of two repositories, and two more."""
    registry = Registry()
    registry.push("data", "spark", "1", manifest(("spark", 5000)), at=AT)
    registry.push("data", "tools/\n\u2028", "1", manifest(("base", 1000)), at=AT)
    registry.push("shop", "cart", "1", manifest(("base", 1000)), at=AT)
    return registry


def told(text: str, site: Site) -> list[dict[str, Any]]:
    """The lines without their moments and their run, both of which are judged here."""
    text = re.sub(r", request id \w+", "", text).replace(site.server.url, "")
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    moments = [datetime.fromisoformat(line.pop("moment")) for line in lines]
    assert moments == sorted(moments)
    assert {moment.utcoffset() for moment in moments} == {timedelta(0)}
    assert datetime.now(UTC) - moments[0] < timedelta(minutes=5)
    (run,) = {line.pop("run_id") for line in lines}
    assert re.fullmatch(r"[0-9a-f-]{36}", run)
    return lines


def not_spark(request: Request, response: Response) -> Response:
    """Forbid one repository's tags, and a namespace."""
    if request.path.endswith("/spark/tags"):
        return gateway_error(403, "SVCSTG.SWR.4030170", "no")
    if request.path == "/v2/manage/repos" and request.query["namespace"] == "shop":
        return gateway_error(403, "SVCSTG.SWR.4030170", "no")
    return response


def test_a_run_tells_what_it_did(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A line for each repository and namespace, and one for each step with its totals."""
    with at_site(tmp_path, small(), faults=[not_spark]) as site:
        site.settings = JSON | {"SWR_CONCURRENCY": "1"}
        assert site.ingest() == "partial"
        lines = told(capsys.readouterr().err, site)
        size = (site.directory / "warehouse.duckdb").stat().st_size
        (received,) = site.query("select received_bytes from ingest.runs")[0].values()
        rows = {
            f"{schema}.{table}": site.query(f"select count(*) as n from {schema}.{table}")[0]["n"]
            for schema, table in (*TABLES, LAYERS_VIEW, ("ingest", "migrations"))
        }
    read = {"level": "info", "message": "repository finished", "namespace": "data"}
    refused = "the credentials do not allow this: no (status 403, code SVCSTG.SWR.4030170)"
    assert lines == [
        STARTED,
        {
            "level": "warning",
            "message": "namespace not listed",
            "namespace": "shop",
            "error": f"GET /v2/manage/repos: {refused}",
        },
        read
        | {
            "level": "warning",
            "repository": "spark",
            "status": "failed",
            "requests": 1,
            "tags": 0,
            "error": f"GET /v2/manage/namespaces/data/repos/spark/tags: {refused}",
        },
        read | {"repository": "tools/\n\u2028", "status": "complete", "requests": 1, "tags": 1},
        {
            "level": "info",
            "message": "run landed",
            "repositories": {"failed": 1, "complete": 1},
            "tags": 1,
            "requests": 7,
            "retries": 0,
            "throttled_seconds": 0.0,
            "bytes": received,
        },
        {"level": "info", "message": "run loaded", "status": "partial", "rows": rows},
        {"level": "info", "message": "run published", "bytes": size},
    ]


def test_a_failed_run_tells_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The last line names the step, the kind of error and its sentence."""
    with at_site(tmp_path, small(), token="another") as site:
        site.settings = JSON
        with pytest.raises(SwrUnauthenticated):
            site.ingest()
        lines = told(capsys.readouterr().err, site)
    assert lines == [
        STARTED,
        {
            "level": "error",
            "message": "run failed",
            "step": "crawl",
            "kind": "SwrUnauthenticated",
            "error": f"GET /v2/manage/namespaces: the credentials were refused: {WRONG_TOKEN}",
        },
    ]


def test_nothing_is_told_unless_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nor by Python's own last resort, though there are warnings."""
    with at_site(tmp_path, small(), faults=[not_spark]) as site:
        assert site.ingest() == "partial"
    assert '"message"' not in capsys.readouterr().err
