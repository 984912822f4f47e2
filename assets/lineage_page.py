"""Writes docs/lineage.md: the asset graph as a picture, and what the reports' columns come from.

Assets of one group that come from the same assets and lead to the same assets share a box: an
arrow stands for every pair it joins, and the picture stays readable without leaving one out.
https://mermaid.js.org/syntax/flowchart.html
"""

from collections import defaultdict
from collections.abc import Iterator

import dagster as dg

from assets.definitions import defs
from pipelines.warehouse.build_plan import report_names
from pipelines.warehouse.column_lineage import lineage_markdown

_HEAD = """\
# Lineage

Made from the asset graph and the SQL by `make docs`; a test holds it current.

Assets in one box come from the same assets and lead to the same assets: an arrow joins each asset
of one box to each of the other. It is dotted where a longer way leads there too."""

_COLUMNS = """\
## Columns of the reports

A column comes from the columns its expression reads, through every intermediate table of
`sql/intermediate`. Columns that only join, filter or group decide which rows there are, not what
they say, and are not listed, unless they choose from a list of constants. A count comes from what
distinguishes the counted rows: the columns they are grouped by, or else a table's rows."""

_GRAPH = defs.resolve_asset_graph()


def lineage_page() -> str:
    """Write the whole page."""
    picture = f"```mermaid\n{_picture()}\n```"
    return "\n\n".join([_HEAD, picture, _COLUMNS, *map(_section, report_names())]) + "\n"


def _section(report: str) -> str:
    description = _GRAPH.get(dg.AssetKey(["reports", report])).description or ""
    # The picture below it is Dagster's to show.
    meaning = description.partition("\n\n")[0]
    source = f"[sql/reports/{report}.sql](../sql/reports/{report}.sql)"
    return f"### {report}\n\n{meaning}\n{source}\n\n{lineage_markdown(report)}"


def _picture() -> str:
    boxes = _boxes()
    ids = {key: f"box{number}" for number, box in enumerate(boxes) for key in box}
    groups: dict[str, list[str]] = defaultdict(list)
    for box in boxes:
        label = "<br>".join(key.to_user_string() for key in box)
        groups[_GRAPH.get(box[0]).group_name].append(f'        {ids[box[0]]}["{label}"]')
    subgraphs = [["    subgraph " + name, *nodes, "    end"] for name, nodes in groups.items()]
    arrows = [
        f"    {ids[source]} {arrow} {ids[target]}" for source, arrow, target in _arrows(boxes)
    ]
    return "\n".join(["flowchart LR", *(line for group in subgraphs for line in group), *arrows])


def _arrows(boxes: list[list[dg.AssetKey]]) -> Iterator[tuple[dg.AssetKey, str, dg.AssetKey]]:
    """Join boxes by their first assets."""
    first = {key: box[0] for box in boxes for key in box}
    for end in dict.fromkeys(first.values()):
        parents = _GRAPH.get(end).parent_keys
        indirect = {key for parent in parents for key in _GRAPH.get_ancestor_asset_keys(parent)}
        for start in sorted({first[key] for key in parents}):
            yield start, "-.->" if start in indirect else "-->", end


def _boxes() -> list[list[dg.AssetKey]]:
    """Group assets that differ in nothing but their names, in the order of the flow."""
    boxes = defaultdict(list)
    for key in _GRAPH.toposorted_asset_keys:
        node = _GRAPH.get(key)
        twins = (node.group_name, frozenset(node.parent_keys), frozenset(node.child_keys))
        boxes[twins].append(key)
    return list(boxes.values())


if __name__ == "__main__":
    print(lineage_page(), end="")  # noqa: T201 - this is the output
