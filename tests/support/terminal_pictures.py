"""Pictures of the terminal for the documents: the demo's report, 80 and 120 columns wide.

python tests/support/terminal_pictures.py FOLDER
"""

import io
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from checkout import ROOT
from page_pictures import small
from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text
from served import browser

_WIDTHS = (80, 120)
# Called by its name, which its hints repeat.
_PATH = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])


def main(folder: Path) -> None:
    """Run the demo, then its report in terminals of both widths."""
    with tempfile.TemporaryDirectory() as directory, browser() as chromium:
        _run(Path(directory), "demo")
        page = chromium.new_page(viewport={"width": 1100, "height": 900})
        for width in _WIDTHS:
            output = _run(Path(directory) / "demo", "report", width=width)
            page.set_content(_drawn(output, width))
            shot = page.locator("svg").screenshot()
            small(shot).save(folder / f"terminal_{width}.png", optimize=True)


def _run(directory: Path, command: str, width: int = 100) -> str:
    environment = os.environ | {"SWR_WAREHOUSE_DIR": str(directory), "COLUMNS": str(width)}
    environment |= {"FORCE_COLOR": "1", "TERM": "xterm-256color", "PATH": _PATH}
    ended = subprocess.run(
        ["/usr/bin/env", "swr-warehouse", command],
        cwd=ROOT,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    return ended.stdout


def _drawn(output: str, width: int) -> str:
    console = Console(record=True, width=width, file=io.StringIO(), color_system="truecolor")
    console.print(Text.from_ansi(output))
    return console.export_svg(title="swr-warehouse report", theme=MONOKAI)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
