"""The published file opens in the oldest DuckDB client that the README names."""

import re
import subprocess
import venv
from pathlib import Path

import pytest
from checkout import ROOT
from ingest_site import at_plain_site, small_registry

ASK = """
import duckdb, sys
con = duckdb.connect(sys.argv[1], read_only=True)
print(duckdb.__version__, con.execute("select count(*) from reports.tag_sizes").fetchall()[0][0])
print(con.execute("select sum(length(manifest)) > 0 from manifests").fetchall()[0][0])
"""


def oldest_client() -> str:
    """The version that the README names, its first release."""
    (version,) = re.findall(r"DuckDB clients from (\d+\.\d+) on", (ROOT / "README.md").read_text())
    return f"{version}.0"


@pytest.mark.soak
def test_the_oldest_client_reads_what_is_published(tmp_path: Path) -> None:
    """From an environment of its own, with nothing of ours in it."""
    environment = tmp_path / "oldest"
    venv.create(environment, with_pip=True)
    python = environment / "bin" / "python"
    client = f"duckdb=={oldest_client()}"
    subprocess.run([python, "-m", "pip", "install", "--quiet", client], check=True)
    with at_plain_site(tmp_path, small_registry()) as site:
        site.ingest()
        published = site.directory / "warehouse.duckdb"
        asked = subprocess.run(
            [python, "-c", ASK, published], capture_output=True, text=True, check=True
        )
    assert asked.stdout == f"{oldest_client()} 62\nTrue\n"
