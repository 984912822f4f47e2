"""How the terminal says how much is exact."""

import pytest

from pipelines.page.overview import how_exact

REGISTRY = {
    "tag_count": 2110,
    "exact_size_tag_count": 2063,
    "exact_reclaimable_tag_count": 0,
}


@pytest.mark.parametrize(
    ("causes", "expected"),
    [
        ([], "Exact: every figure."),
        (
            [("rejected_record", 1)],
            "Exact: 2,063/2,110 sizes, 0 reclaimable; 1 rejected records",
        ),
        (
            [("unread_child", 1050), ("size_unknown", 31), ("list_contradicted", 1)],
            "Exact: 2,063/2,110 sizes, 0 reclaimable; 1,050 unread manifests, 31 unsized blobs",
        ),
    ],
)
def test_one_line_says_how_much_is_exact_and_the_two_largest_causes(
    causes: list[tuple[str, int]], expected: str
) -> None:
    """Each cause with its count, in the order given."""
    rows = [{"kind": kind, "gap_count": count} for kind, count in causes]
    assert how_exact(REGISTRY, rows) == expected
