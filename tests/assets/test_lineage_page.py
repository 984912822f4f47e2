"""The page of lineage is current and tells what Dagster's asset graph and the SQL tell."""

import re
from itertools import product

from checkout import ROOT

from assets.definitions import defs
from assets.lineage_page import lineage_page
from pipelines.warehouse.build_plan import report_names
from pipelines.warehouse.column_lineage import column_lineage

PAGE = ROOT / "docs" / "lineage.md"
BOX = re.compile(r'^ +(\w+)\["(.*)"\]$', re.MULTILINE)
GROUP = re.compile(r"^ +subgraph (\w+)\n(.*?)^ +end$", re.MULTILINE | re.DOTALL)
ARROW = re.compile(r"^ +(\w+) (-->|-\.->) (\w+)$", re.MULTILINE)


def boxes() -> dict[str, list[str]]:
    """The assets in each box of the picture."""
    return {name: label.split("<br>") for name, label in BOX.findall(PAGE.read_text())}


def pairs(*arrows: str) -> set[tuple[str, str]]:
    """The assets that arrows of these kinds join, one from each end's box."""
    inside = boxes()
    return {
        pair
        for start, arrow, end in ARROW.findall(PAGE.read_text())
        if arrow in arrows
        for pair in product(inside[start], inside[end])
    }


def edges() -> set[tuple[str, str]]:
    """Every upstream and downstream asset of Dagster's graph."""
    graph = defs.resolve_asset_graph()
    return {
        (parent.to_user_string(), key.to_user_string())
        for key in graph.get_all_asset_keys()
        for parent in graph.get(key).parent_keys
    }


def test_the_page_is_current() -> None:
    """`make docs` makes it."""
    assert PAGE.read_text() == lineage_page()


def test_the_picture_has_every_asset_once_in_its_group() -> None:
    """No asset is left out, none is in two boxes."""
    graph = defs.resolve_asset_graph()
    shown = [key for box in boxes().values() for key in box]
    assert sorted(shown) == sorted(key.to_user_string() for key in graph.get_all_asset_keys())
    grouped = {
        key: group
        for group, body in GROUP.findall(PAGE.read_text())
        for _, label in BOX.findall(body)
        for key in label.split("<br>")
    }
    told = {key.to_user_string(): graph.get(key).group_name for key in graph.get_all_asset_keys()}
    assert grouped == told


def test_the_arrows_are_the_edges_of_the_graph() -> None:
    """All of them, and no other."""
    assert pairs("-->", "-.->") == edges()


def test_a_dotted_arrow_stands_for_what_a_longer_way_joins_too() -> None:
    """Without them everything still leads where it did, without any other it would not."""
    reduced, left_out = pairs("-->"), pairs("-.->")
    assert all(reaches(pair, reduced) for pair in left_out)
    assert not any(reaches(pair, reduced - {pair}) for pair in reduced)


def reaches(pair: tuple[str, str], steps: set[tuple[str, str]]) -> bool:
    """Whether steps lead from one asset to another."""
    start, end = pair
    return any(
        here == start and (there == end or reaches((there, end), steps)) for here, there in steps
    )


def test_every_column_of_a_report_is_on_the_page() -> None:
    """With the SQL of its report."""
    _, *sections = PAGE.read_text().split("\n### ")
    assert [section.split("\n")[0] for section in sections] == report_names()
    for name, section in zip(report_names(), sections, strict=True):
        rows = re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
        told = [column.strip("`") for row in rows for column in row.split(", ")]
        assert sorted(told) == sorted(column_lineage(name))
        assert f"(../sql/reports/{name}.sql)" in section
