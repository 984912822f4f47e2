"""Two emulators and the settings of a warehouse of both, for tests."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ingest_site import AT, manifest, small_registry

from pipelines.emulator.registry import Registry
from pipelines.emulator.server import Emulator


@dataclass
class Two:
    """Registries `north` and `south`: the file that names them, and the warehouse's directory."""

    north: Emulator
    south: Emulator
    file: Path
    directory: Path


def southern_registry() -> Registry:
    """A namespace that the small registry has too, with its base layer, and one of its own."""
    registry = Registry()
    registry.push("shop", "cart", "v1", manifest(("base", 1000), ("south", 7)), at=AT)
    registry.push("crew", "tool", "1", manifest(("tool", 30)), at=AT)
    return registry


@contextmanager
def two_registries(directory: Path) -> Iterator[Two]:
    """Serve both, each with a token of its own, and point the settings at them."""
    with (
        Emulator(small_registry(), token="token-of-north") as north,
        Emulator(southern_registry(), token="token-of-south") as south,
    ):
        file = directory / "registries.yaml"
        file.write_text(
            f"""
            registries:
              - name: north
                endpoint: {north.url}
                credentials: {{auth_token: NORTH_TOKEN}}
              - name: south
                endpoint: {south.url}
                credentials: {{auth_token: SOUTH_TOKEN}}
            """
        )
        os.environ.update(
            {
                "SWR_REGISTRIES": str(file),
                "NORTH_TOKEN": "token-of-north",
                "SOUTH_TOKEN": "token-of-south",
                "SWR_REQUESTS_PER_SECOND": "0",
                "SWR_WAREHOUSE_DIR": str(directory / "warehouse"),
            }
        )
        yield Two(north, south, file, directory / "warehouse")
