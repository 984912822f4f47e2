"""Of several texts for one digest, which is kept, and when that is known."""

import json

from manifest_texts import blob, image, schema1, sha256

from pipelines.images.manifest import Manifest
from pipelines.images.rivals import Rivals

IMAGE = json.dumps(image(blob("layer")))
SCHEMA1 = json.dumps(schema1("layer"))


def texts(manifests: list[Manifest]) -> list[str]:
    """Their texts, in order."""
    return [manifest.text for manifest in manifests]


def test_a_text_that_verifies_is_given_at_once_and_once() -> None:
    """However often it comes, and whatever else comes for its digest, before or after."""
    rivals = Rivals(())
    digest = sha256(IMAGE)
    assert texts(rivals.settle([(digest, "{}"), (digest, IMAGE), (digest, IMAGE)])) == [IMAGE]
    assert rivals.settle([(digest, "{}"), (digest, IMAGE)]) == []
    assert rivals.undecided() == []


def test_what_is_settled_already_is_not_given() -> None:
    """Nor does it wait for the end."""
    rivals = Rivals([sha256(IMAGE)])
    assert rivals.settle([(sha256(IMAGE), IMAGE), (sha256(IMAGE), "{}")]) == []
    assert rivals.undecided() == []


def test_the_others_wait_for_a_better_text() -> None:
    """Those that verify nothing, and schema 1, whose digest does not cover its signatures."""
    rivals = Rivals(())
    assert rivals.settle([(sha256(IMAGE), "{ }"), (sha256(SCHEMA1), SCHEMA1)]) == []
    assert rivals.settle([(sha256(IMAGE), "{}"), (sha256(IMAGE), "{ }")]) == []
    assert texts(rivals.undecided()) == ["{}", SCHEMA1]
    assert texts(rivals.settle([(sha256(IMAGE), IMAGE)])) == [IMAGE]
    assert texts(rivals.undecided()) == [SCHEMA1]
