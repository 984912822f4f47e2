"""The command `in-use`: from kubectl's JSON to what is protected, over a registry."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result
from ingest_site import AT, at_read_site, manifest
from leftovers import leaks, left_in
from plain_run import run_steps

from assets.cli.main import main
from pipelines.emulator.records import HOST
from pipelines.emulator.registry import Registry
from pipelines.emulator.server import Emulator
from pipelines.run.clear_up import clear_up
from pipelines.settings import read_settings
from pipelines.warehouse.query import run_query

SECRET = "hunter2-is-no-secret"
APP = f"{HOST}/shop/app"


def digest_of(text: str) -> str:
    """The digest of a manifest."""
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


V1 = manifest(("v1", 10), config="v1")
V2 = manifest(("v2", 20), config="v2")
V3 = manifest(("v3", 30), config="v3")
AMD = manifest(("amd", 40), config="amd")
ARM = manifest(("arm", 50), config="arm")
OLD = manifest(("old", 60), config="old")
NEW = manifest(("new", 70), config="new")
CONFIG_V3 = "sha256:" + b"v3".hex().rjust(64, "0")
CONFIG_ARM = "sha256:" + b"arm".hex().rjust(64, "0")
MULTI = json.dumps(
    {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [
            {
                "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
                "digest": digest_of(text),
                "size": len(text),
                "platform": {"os": "linux", "architecture": architecture},
            }
            for architecture, text in (("amd64", AMD), ("arm64", ARM))
        ],
    }
)


def filled() -> Registry:
    """Images, an index with its platforms, a copy in another repository, a tag that will move."""
    registry = Registry()
    pushes = {"v1": V1, "v2": V2, "v3": V3, "multi": MULTI, "main": OLD}
    for number, (tag, text) in enumerate(pushes.items()):
        registry.push("shop", "app", tag, text, at=AT + timedelta(days=number))
    registry.push("shop", "copy", "v1", V1, at=AT)
    for text in (AMD, ARM):
        registry.store_manifest("shop", "app", text)
    return registry


@pytest.fixture
def served() -> Iterator[Emulator]:
    """That registry."""
    with Emulator(filled()) as server:
        yield server


@pytest.fixture
def directory(served: Emulator, site_settings: Callable[[str], Path]) -> Path:
    """Where the warehouse of that registry is."""
    return site_settings(served.url)


@pytest.fixture(scope="module")
def read_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse of it, which every test has a copy of."""
    with at_read_site(tmp_path_factory.mktemp("read"), filled()) as site:
        return site.directory


@pytest.fixture
def ingested(directory: Path, read_once: Path) -> Path:
    """Where the warehouse is, after a first run."""
    return shutil.copytree(read_once, directory)


def ingest() -> None:
    """Run every step: what is tested here is none of Dagster's."""
    run_steps(read_settings())


def run(*arguments: str, given: bytes | None = None) -> Result:
    """Run a command that succeeds."""
    result = CliRunner().invoke(main, arguments, input=given, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert SECRET not in result.output
    return result


def pods(*containers: tuple[str, str]) -> dict[str, Any]:
    """A pod with these containers, by image and id, as kubectl shows it."""
    environment = [{"name": "PASSWORD", "value": SECRET}]
    return {
        "kind": "Pod",
        "spec": {
            "containers": [
                {"name": f"c{number}", "image": image, "env": environment}
                for number, (image, _) in enumerate(containers)
            ]
        },
        "status": {
            "phase": "Running",
            "containerStatuses": [
                {"name": f"c{number}", "image": "sha256:" + "0" * 64, "imageID": own}
                for number, (_, own) in enumerate(containers)
            ],
        },
    }


def listed(*objects: dict[str, Any]) -> bytes:
    """A list of kubectl."""
    return json.dumps({"kind": "List", "items": objects}).encode()


# What each runtime says of a container: its image and its id, what that comes to, and how.
SHAPES = {
    "containerd 1.x": (f"{APP}:v1", f"{APP}@{digest_of(V1)}", "v1", "digest"),
    "containerd, index": (f"{APP}:multi", f"{APP}@{digest_of(MULTI)}", "multi", "digest"),
    "containerd, imported": (f"{APP}:v3", CONFIG_V3, "v3", "config"),
    "containerd 2.x, by digest": (
        f"{APP}@{digest_of(V2)}",
        f"{APP}@{digest_of(V2)}",
        "v2",
        "digest",
    ),
    "docker": (f"{APP}:v1", f"docker-pullable://{APP}@{digest_of(V1)}", "v1", "digest"),
    "docker, pulled from elsewhere first": (
        f"{APP}:v1",
        f"docker-pullable://docker.io/shop/app@{digest_of(V1)}",
        "v1",
        "digest",
    ),
    "docker, built there": (f"{APP}:v3", f"docker://{CONFIG_V3}", "v3", "config"),
    "docker, of an index": (f"{APP}:multi", f"docker://{CONFIG_ARM}", "multi", "config"),
    "CRI-O, old": (f"{APP}:multi", f"{APP}@{digest_of(ARM)}", "multi", "child"),
    "CRI-O, new": (f"{APP}:v3", CONFIG_V3.removeprefix("sha256:"), "v3", "config"),
    "none yet": (f"{APP}:v2", "", "v2", "name"),
    "tag and digest": (f"{APP}:v9@{digest_of(V2)}", "", "v2", "digest"),
    "port": (f"{HOST}:443/shop/app:v2", "", "v2", "name"),
    "alias": ("mirror.local/proxy/shop/app:v2", "", "v2", "name"),
}


@pytest.mark.usefixtures("ingested")
def test_what_each_runtime_says_is_matched_as_by_hand(tmp_path: Path) -> None:
    """Each with the one tag it means, though another repository holds that digest as well."""
    file = tmp_path / "pods.json"
    file.write_bytes(listed(*(pods((image, own)) for image, own, _, _ in SHAPES.values())))
    alias = f"mirror.local/proxy={HOST}"
    result = run("in-use", str(file), "--cluster", "prod", "--alias", alias, "--json")
    told = json.loads(result.stdout)
    found = {
        (row["image"], row["image_id"]): (
            f"{row['namespace']}/{row['repository']}:{row['tag']}",
            row["matched_by"],
            row["tag_count"],
        )
        for row in told["references"]
    }
    assert found == {
        (image, own or None): (f"shop/app:{tag}", way, 1)
        for image, own, tag, way in SHAPES.values()
    }
    assert (told["read"], told["matched"], told["unmatched"]) == (len(SHAPES), len(SHAPES), 0)
    assert told["matched_by"] == {"digest": 6, "child": 1, "config": 4, "name": 3, "history": 0}


@pytest.mark.usefixtures("ingested")
def test_what_matches_nothing_has_its_reason(tmp_path: Path) -> None:
    """And the table of it fits a hundred columns."""
    lines = {
        "nginx": "other_host",
        f"{HOST}/none/app:v1": "unknown_repository",
        f"{APP}:v9": "unknown_tag",
        f"{APP}:amd": "unknown_tag",
        f"{APP}@sha256:{'9' * 64}": "unknown_digest",
        "8" * 64: "unknown_digest",
        "list, line 7": "unreadable",
    }
    file, output = tmp_path / "list", tmp_path / "found.parquet"
    file.write_text("\n".join([*list(lines)[:-1], f"A={SECRET}"]))
    result = run("in-use", str(file), "--cluster", "prod", "--output", str(output))
    rows = pq.read_table(output).to_pylist()
    assert {row["image"]: row["reason"] for row in rows} == lines
    assert {row["matched_by"] for row in rows} == {None}
    printed = result.stdout.splitlines()
    assert printed[1] == "7 image references read."
    assert max(map(len, printed)) <= 100
    sums = [line.split()[-2:] for line in printed if line.startswith(("matched ", "not matched "))]
    assert sums == [["0", "0"], ["7", "6"]]


def test_without_a_warehouse_the_snapshot_is_kept(directory: Path) -> None:
    """A sentence says so, and the next run loads it; the one after removes the file."""
    result = run("in-use", "-", "--cluster", "prod", given=listed(pods((f"{APP}:v1", ""))))
    assert "There is no warehouse yet" in result.stdout
    again = run("in-use", "-", "--cluster", "prod", "--json", given=listed())
    assert json.loads(again.stdout)["matched"] is None
    files = sorted((directory / "in-use").iterdir())
    assert [oct(file.stat().st_mode & 0o777) for file in files] == ["0o600"] * 2
    run("ingest")
    seen = "select tag from reports.tag_use where is_seen"
    assert run_query(directory, seen).to_pylist() == [{"tag": "v1"}]
    assert len(run_query(directory, "from ingest.in_use_snapshots")) == 2
    run("ingest")
    assert list((directory / "in-use").iterdir()) == []
    assert len(run_query(directory, "from ingest.in_use_references")) == 1


def test_a_snapshot_has_the_time_of_its_file_unless_said(directory: Path, tmp_path: Path) -> None:
    """The latest of several; a time without a zone is UTC."""
    for number, name in enumerate(("a", "b")):
        (tmp_path / name).write_text("nginx")
        os.utime(tmp_path / name, (AT.timestamp() + number, AT.timestamp() + number))
    files = [str(tmp_path / name) for name in ("b", "a")]
    run("in-use", *files, "--cluster", "prod")
    run("in-use", *files, "--cluster", "test", "--taken-at", "2026-02-03T04:05")
    kept = [pq.read_table(file).to_pylist()[0] for file in sorted((directory / "in-use").iterdir())]
    assert [(row["cluster"], row["taken_at"]) for row in kept] == [
        ("test", datetime(2026, 2, 3, 4, 5, tzinfo=UTC)),
        ("prod", AT + timedelta(seconds=1)),
    ]


@pytest.mark.usefixtures("directory")
@pytest.mark.parametrize(
    "flags",
    [
        ["--cluster", ""],
        ["--cluster", "a,b"],
        ["--cluster", "a", "--taken-at", "yesterday"],
        ["--cluster", "a", "--taken-at", "2999-01-01"],
        ["--cluster", "a", "--alias", "mirror"],
        ["--cluster", "a", "--alias", "=host"],
        [],
    ],
)
def test_wrong_flags_are_refused(flags: list[str]) -> None:
    """Before anything is kept."""
    result = CliRunner().invoke(main, ["in-use", "-", *flags], input=b"nginx")
    assert result.exit_code == 2
    assert not (read_settings().warehouse_dir / "in-use").exists()


def test_a_digest_that_its_tag_left_runs_untagged(served: Emulator, ingested: Path) -> None:
    """Matched by history at once, and in the report after the next run."""
    served.registry.push("shop", "app", "main", NEW, at=AT + timedelta(days=30))
    ingest()
    running = listed(pods((f"{APP}@{digest_of(OLD)}", f"{APP}@{digest_of(OLD)}")))
    [row] = json.loads(run("in-use", "-", "--cluster", "prod", "--json", given=running).stdout)[
        "references"
    ]
    assert (row["matched_by"], row["tag"], row["left_at"] is not None) == ("history", "main", True)
    assert run_query(ingested, "from reports.running_untagged").num_rows == 0
    ingest()
    [row] = run_query(ingested, "from reports.running_untagged").to_pylist()
    assert (row["running_digest"], row["left_tag"]) == (digest_of(OLD), "shop/app:main")
    assert run_query(ingested, "from reports.tag_use where is_seen").num_rows == 0
    served.registry.delete_tag("shop", "app", "v2")
    ingest()
    told = run("in-use", "-", "--cluster", "prod", "--json", given=f"{APP}:v2".encode()).stdout
    assert [row["reason"] for row in json.loads(told)["references"]] == ["deleted_tag"]


RULES = "- {repositories: '*', template: tag_rule, params: {num: 1}}"


@pytest.mark.usefixtures("ingested")
def test_what_was_seen_is_protected(tmp_path: Path) -> None:
    """From the moment it is given: plan keeps it, retention warns of what its rules delete."""
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES)
    unseen = "No snapshot of what runs counts: see `swr-warehouse in-use`."
    assert unseen in run("plan", "--max-tags", "9").stdout
    assert unseen in run("retention", str(rules)).stdout
    run("in-use", "-", "--cluster", "prod", given=listed(pods((f"{APP}:v1", ""))))

    def planned(*flags: str) -> set[str]:
        told = json.loads(run("plan", "--max-tags", "9", "--json", *flags).stdout)
        assert [row["cluster"] for row in told["snapshots"]] == ["prod"]
        return {row["tag"] for row in told["tags"] if row["repository"] == "app"}

    assert planned() == {"v2", "v3", "multi", "main"}
    assert planned("--ignore-in-use") == {"v1", "v2", "v3", "multi", "main"}
    warned = "WARNING: of the tags to delete 1 were seen running."
    assert warned in run("plan", "--max-tags", "9", "--ignore-in-use").stdout
    assert warned not in run("plan", "--max-tags", "9").stdout
    printed = run("retention", str(rules)).stdout
    assert warned in printed
    named = (line.split()[:2] for line in printed.splitlines() if "shop/app:v1  " in line)
    assert next(named) == ["shop/app:v1", "prod"]
    told = json.loads(run("retention", str(rules), "--json").stdout)
    [row] = [row for row in told["breaks"] if row["kind"] == "in_use"]
    assert (row["tag"], row["cluster"]) == ("v1", "prod")
    ingest()
    assert planned() == {"v2", "v3", "multi", "main"}


def test_an_old_snapshot_protects_nothing_and_is_cleared(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once it is older than SWR_IN_USE_DAYS; rows go when nothing kept needs them."""
    old = (datetime.now(UTC) - timedelta(days=9)).isoformat()
    flags = ["--cluster", "prod", "--taken-at", old]
    run("in-use", "-", *flags, given=listed(pods((f"{APP}:v1", ""))))
    ingest()
    monkeypatch.setenv("SWR_IN_USE_DAYS", "10")
    assert "1 tag, in 1 snapshot of prod" in run("plan", "--max-tags", "9").stdout
    monkeypatch.setenv("SWR_IN_USE_DAYS", "7")
    assert "No snapshot of what runs counts" in run("plan", "--max-tags", "9").stdout
    monkeypatch.setenv("SWR_KEEP_LANDING_DAYS", "8")
    # The published reports are still made of it.
    assert clear_up(read_settings(), datetime.now(UTC)).snapshots == []
    ingest()
    [gone] = clear_up(read_settings(), datetime.now(UTC)).snapshots
    assert gone.startswith(f"{datetime.fromisoformat(old):%Y%m%dT}")
    for table in ("snapshots", "references"):
        assert run_query(directory, f"from ingest.in_use_{table}").num_rows == 0
    use = run_query(directory, "select distinct is_seen from reports.tag_use").to_pylist()
    assert use == [{"is_seen": None}]


def test_no_secret_of_a_file_is_left(directory: Path, tmp_path: Path) -> None:
    """Neither of a file that is read nor of one that is refused."""
    file = tmp_path / "pods.json"
    file.write_bytes(listed(pods((f"{APP}:v1", f"{APP}@{digest_of(V1)}"))))
    run("in-use", str(file), "--cluster", "prod")
    for broken in (file.read_bytes()[:-2], f"PASSWORD = {SECRET}".encode()):
        result = CliRunner().invoke(main, ["in-use", "-", "--cluster", "prod"], input=broken)
        assert result.exit_code == 2
        assert "standard input" in result.output
        assert SECRET not in result.output
    run("ingest")
    assert leaks(left_in(directory), {"environment": SECRET}) == []


def test_a_damaged_snapshot_is_named(ingested: Path) -> None:
    """Nothing is decided without it, and nothing published."""
    run("in-use", "-", "--cluster", "prod", given=b"nginx")
    [part] = (ingested / "in-use").iterdir()
    part.write_bytes(b"PAR1")
    for command in (["ingest"], ["plan", "--max-tags", "1"]):
        result = CliRunner().invoke(main, command)
        assert result.exit_code == 2
        assert f"{part} is unreadable: remove it, and give the snapshot again." in " ".join(
            result.output.split()
        )
