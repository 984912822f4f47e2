"""Of several texts for one digest, which is kept, and when that is known."""

import json

from manifest_texts import blob, image, schema1, sha256

from pipelines.images.manifest import Manifest
from pipelines.images.text_choice import TextChoice

IMAGE = json.dumps(image(blob("layer")))
SCHEMA1 = json.dumps(schema1("layer"))


def texts(manifests: list[Manifest]) -> list[str]:
    """Their texts, in order."""
    return [manifest.text for manifest in manifests]


def test_a_text_that_verifies_is_given_at_once_and_once() -> None:
    """However often it comes, and whatever else comes for its digest, before or after."""
    choice = TextChoice(())
    digest = sha256(IMAGE)
    assert texts(choice.choose([(digest, "{}"), (digest, IMAGE), (digest, IMAGE)])) == [IMAGE]
    assert choice.choose([(digest, "{}"), (digest, IMAGE)]) == []
    assert choice.undecided() == []


def test_what_is_final_already_is_not_given() -> None:
    """Nor does it wait for the end."""
    choice = TextChoice([sha256(IMAGE)])
    assert choice.choose([(sha256(IMAGE), IMAGE), (sha256(IMAGE), "{}")]) == []
    assert choice.undecided() == []


def test_the_others_wait_for_a_better_text() -> None:
    """Those that verify nothing, and schema 1, whose digest does not cover its signatures."""
    choice = TextChoice(())
    assert choice.choose([(sha256(IMAGE), "{ }"), (sha256(SCHEMA1), SCHEMA1)]) == []
    assert choice.choose([(sha256(IMAGE), "{}"), (sha256(IMAGE), "{ }")]) == []
    assert texts(choice.undecided()) == ["{}", SCHEMA1]
    assert texts(choice.choose([(sha256(IMAGE), IMAGE)])) == [IMAGE]
    assert texts(choice.undecided()) == [SCHEMA1]
