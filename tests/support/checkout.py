"""Where the checkout is, and the data beside it that some tests use where it is there."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"
