"""Makes one site of the pages of docs/ and the project's own pages around them.

Links are written as they hold in the checkout, where an editor and a code browser follow them; here
they are turned to where the site has the file. Used by mkdocs.yml.
"""

import os.path
import re
from pathlib import Path
from posixpath import dirname, normpath

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
AROUND = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "LICENSE")
FOLDERS = ("sql", "deploy")
LINK = re.compile(r"\]\(\s*(?![a-z]+:|[#/])([^)#\s]+)")


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add what is linked to and lies outside docs/; README is the first page."""
    linked = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.is_file()]
    for path in [*(ROOT / name for name in AROUND), *linked]:
        name = path.relative_to(ROOT).as_posix()
        files.append(File.generated(config, name, abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn the page's links."""
    del config, files
    here = page.file.src_uri
    origin = here if here in AROUND else f"docs/{here}"

    def turned(link: re.Match[str]) -> str:
        target = normpath(f"{dirname(origin)}/{link[1]}".lstrip("/")).removeprefix("docs/")
        return f"]({os.path.relpath(target, dirname(here) or '.')}"

    return LINK.sub(turned, markdown)
