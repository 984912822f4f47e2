"""Reads one manifest's text: its kind, its configuration, layers and children, or its problem.

Never raises, whatever the text. A malformed manifest is `invalid` with a problem; a JSON object
of no known kind is `unknown`. The wire's own shapes are in `documents`, bytes in `sizes`.
"""

import msgspec

from pipelines.images import media_types as mt
from pipelines.images import texts
from pipelines.images.digests import is_digest_of, is_well_formed, signed_payload
from pipelines.images.documents import Child, Descriptor, Document, Malformed, decode, outline
from pipelines.images.kinds import SIGNABLE, Kind


class Manifest(msgspec.Struct, frozen=True, gc=False):
    """What a manifest says. `layers` are base first; `text` is as stored."""

    kind: Kind
    problem: str | None = None
    media_type: str | None = None
    artifact_type: str | None = None
    schema_version: int | None = None
    config: Descriptor | None = None
    layers: list[Descriptor] = []
    children: list[Child] = []
    subject_digest: str | None = None
    digest: str = ""
    digest_verified: bool | None = None
    text: str = ""
    text_bytes: int = 0
