"""What is kept of the SQL is what the SQL says, and is not used once the SQL has changed."""

import subprocess
import sys
from pathlib import Path

import pytest
from checkout import ROOT

from pipelines.warehouse import derived as keeping
from pipelines.warehouse.build_plan import build_steps
from pipelines.warehouse.column_lineage import column_lineage
from pipelines.warehouse.derive import derive
from pipelines.warehouse.derived import derived


def test_what_is_kept_is_current() -> None:
    """Inputs, tables and lineage are those that parsing the SQL gives; `make docs` writes them."""
    assert derived() == derive()


# Asks for the plan and for a lineage, with another file in place of the one kept.
PROGRAM = """
import sys
from pathlib import Path
from pipelines.warehouse import derived
derived.FILE = Path(sys.argv[1])
from pipelines.warehouse.build_plan import build_steps
from pipelines.warehouse.column_lineage import column_lineage
assert derived.derived() is None
print(build_steps())
print(dict(column_lineage("tag_sizes")))
"""


@pytest.mark.parametrize("kept", ["", "{}", '{"texts": "of before"}', None])
def test_what_was_kept_of_other_texts_is_derived_anew(tmp_path: Path, kept: str | None) -> None:
    """The plan and the lineage are the same without the file, or with one of another SQL."""
    file = tmp_path / "derived.json"
    if kept is not None:
        file.write_text(kept)
    command = [sys.executable, "-c", PROGRAM, str(file)]
    told = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert told == f"{build_steps()}\n{dict(column_lineage('tag_sizes'))}\n"


def test_any_text_changes_the_fingerprint(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file of the SQL of tables and reports, and the comments of the loaded tables."""
    texts = dict(keeping._texts())
    folders = ("migrations", "macros", "intermediate", "reports")
    sql = {f"{f}/{file.name}" for f in folders for file in (ROOT / "sql" / f).glob("*.sql")}
    assert set(texts) == {"schemas.py", *sql}
    before = keeping.fingerprint()
    for name, text in texts.items():
        changed = texts | {name: text + b" "}
        monkeypatch.setattr(keeping, "_texts", lambda changed=changed: iter(changed.items()))
        keeping.fingerprint.cache_clear()
        assert keeping.fingerprint() != before
    keeping.fingerprint.cache_clear()
