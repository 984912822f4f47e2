"""A manifest's own bytes: each distinct stored blob once, and how sure that is."""

import pytest
from manifest_texts import FOREIGN, OCI, Json, blob, image, index, read, schema1

from pipelines.images.media_types import is_stored
from pipelines.images.sizes import own_bytes

# One of Docker Hub's smallest images, in figures.
BUSYBOX = image(blob("busybox", 1_292_800), blob("libc", 10_240), config=blob("config", 1_862))


@pytest.mark.parametrize(
    ("document", "logical_bytes", "size_basis"),
    [
        (BUSYBOX, 1_304_902, "exact"),
        (image(), 100, "exact"),
        (image(blob("a", 2**46), blob("b", 2**32)), 70_373_039_145_060, "exact"),
        (image(blob("a", 2**46 + 1), blob("b", 2**32)), 4_294_967_396, "lower_bound"),
        ({"blobs": []}, 0, "exact"),
        ({"blobs": [blob("a", 7)]}, 7, "exact"),
        # the same blob again
        (image(blob("a", 7), blob("b", 5), blob("a", 7)), 112, "exact"),
        (image(blob("config", 100)), 100, "exact"),
        (image(blob("a", None), blob("a", 7)), 107, "exact"),
        # the same blob with another size
        (image(blob("a", 7), blob("a", 9), blob("a", 8)), 107, "lower_bound"),
        (image(blob("config", 90)), 90, "lower_bound"),
        # sizes that nobody states
        (image(blob("a", None), blob("b", 5)), 105, "lower_bound"),
        (image(blob("a", None), config=blob("b", None)), None, "unknown"),
        # foreign layers
        (image(blob("windows", 2_000_000_000, FOREIGN), blob("a", 7)), 107, "exact"),
        (image(blob("windows", None, FOREIGN)), 100, "exact"),
        # kinds without sizes of their own
        (schema1("top", "base"), None, "unknown"),
        (schema1(), None, "unknown"),
        (index(blob("child", 500, OCI)), None, "unknown"),
        # a size of 0 states nothing, but of nothing
        (image(blob("a", 0)), 100, "lower_bound"),
        (image(blob("a", 0), blob("a", 7)), 107, "exact"),
        (image(blob("", 0)), 100, "exact"),
        # a cache holds what it lists
        (index(blob("a", 7), blob("b", 5)), 12, "exact"),
        ({"mediaType": "application/vnd.mine"}, None, "unknown"),
        (image(blob("a", -1)), None, "unknown"),
    ],
)
def test_distinct_stored_blobs_are_added_up(
    document: Json, logical_bytes: int | None, size_basis: str
) -> None:
    """What is not known is null, and never 0."""
    assert own_bytes(read(document)) == (logical_bytes, size_basis)


@pytest.mark.parametrize(
    ("media_type", "stored"),
    [
        (None, True),
        ("", True),
        ("application/vnd.docker.image.rootfs.diff.tar.gzip", True),
        ("application/vnd.oci.image.layer.v1.tar+zstd", True),
        ("application/vnd.oci.image.layer.v1.tar+gzip+encrypted", True),
        ("application/vnd.docker.image.rootfs.foreign.diff.tar", False),
        ("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", False),
        ("application/vnd.oci.image.layer.nondistributable.v1.tar", False),
        ("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", False),
        ("application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", False),
    ],
)
def test_registries_hold_all_but_foreign_layers(media_type: str | None, stored: bool) -> None:
    """Those are fetched from elsewhere."""
    assert is_stored(media_type) is stored
