"""The files of deploy/ are what a service needs, as far as a machine without an engine can tell."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from checkout import ROOT

from pipelines.settings import known_names

DEPLOY = ROOT / "deploy"
CONTAINERFILE = (DEPLOY / "Containerfile").read_text()
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
PATHS = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
HADOLINT = shutil.which("hadolint", path=PATHS)
ANALYZE = shutil.which("systemd-analyze")


@pytest.mark.skipif(HADOLINT is None, reason="hadolint is not here")
def test_the_containerfile_is_well_formed() -> None:
    """By hadolint, without an exception."""
    assert HADOLINT
    command = [HADOLINT, "--no-color", str(DEPLOY / "Containerfile")]
    assert subprocess.run(command, check=False, capture_output=True, text=True).stdout == ""


def test_the_container_runs_as_a_user_of_its_own_without_what_built_it() -> None:
    """Two stages; the second installs nothing, and the first leaves no pip in what it hands on."""
    _, building, result = re.split(r"^FROM ", CONTAINERFILE, flags=re.MULTILINE)
    assert building.rstrip().endswith("pip uninstall --yes setuptools pip")
    assert not re.search(r"\b(apt|apt-get|apk|pip|gcc)\b", result)
    assert re.findall(r"^USER (.*)$", result, re.MULTILINE) == ["10001:10001"]
    assert "\nHEALTHCHECK " in result


def test_what_the_container_copies_is_there_and_nothing_else_is_sent() -> None:
    """By the list of what a build may see."""
    copied = re.findall(r"^COPY (?!--from)(.*) \S+$", CONTAINERFILE, re.MULTILINE)
    names = {name for line in copied for name in line.split()}
    assert all((ROOT / name).exists() for name in names)
    listed = (ROOT / ".containerignore").read_text().splitlines()
    assert listed[0] == "*"
    assert {line[1:] for line in listed if line.startswith("!")} == names


def modules(text: str) -> set[str]:
    """The modules that are started with `python -m`."""
    return set(re.findall(r"-m\W+(assets[\w.]+)", text))


def test_every_way_to_deploy_starts_the_same_two_services() -> None:
    """By modules that exist."""
    services = {"assets.cli.daemon", "assets.cli.pages"}
    assert modules("".join(unit.read_text() for unit in UNITS)) == services
    assert modules(CONTAINERFILE + (DEPLOY / "compose.yaml").read_text()) == services
    assert all((ROOT / f"{name.replace('.', '/')}.py").exists() for name in services)


def compose() -> dict[str, Any]:
    """The services of compose.yaml, by name."""
    services: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    return services


def test_both_services_share_their_state_and_only_this_machine_sees_the_pages() -> None:
    """On the volume the image says it has."""
    assert "\nVOLUME /var/lib/swr-warehouse\n" in CONTAINERFILE
    for service in compose().values():
        assert service["volumes"] == ["state:/var/lib/swr-warehouse"]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
    assert compose()["pages"]["ports"] == ["127.0.0.1:3000:3000"]
    assert "ports" not in compose()["daemon"]


def test_the_cron_job_runs_one_ingest_with_the_pods_identity() -> None:
    """As a user without rights, with a volume for its state, on settings that exist."""
    documents = list(yaml.safe_load_all((DEPLOY / "kubernetes" / "cronjob.yaml").read_text()))
    account, claim, job = documents
    assert job["spec"]["concurrencyPolicy"] == "Forbid"
    pod = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["command"] == ["swr-warehouse", "ingest"]
    settings = {each["name"]: each["value"] for each in container["env"]}
    assert settings["SWR_CREDENTIALS"] == "cce-pod"
    assert settings.keys() <= known_names()
    assert pod["serviceAccountName"] == account["metadata"]["name"]
    assert pod["volumes"][0]["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    assert container["volumeMounts"][0]["mountPath"] == "/var/lib/swr-warehouse"
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] == 10001
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


@pytest.mark.skipif(ANALYZE is None, reason="systemd is not here")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: str(unit.stem))
def test_systemd_understands_the_units(unit: Path, tmp_path: Path) -> None:
    """Where the program they start exists."""
    assert ANALYZE
    copy = tmp_path / unit.name
    text, count = re.subn(r"(?m)^(ExecStart=)\S+", rf"\1{sys.executable}", unit.read_text())
    assert count == 1
    copy.write_text(text)
    command = [ANALYZE, "verify", "--man=no", str(copy)]
    judged = subprocess.run(command, check=False, capture_output=True, text=True)
    assert unit.name not in judged.stderr
    assert judged.returncode == 0
