"""Which tags a plan may take: those that nothing protects."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from fnmatch import translate
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute

from pipelines.deciding.min_cut import Bools
from pipelines.deciding.rules import Rule
from pipelines.deciding.simulate import encoded, joined, simulate
from pipelines.errors import NoPullsKnown

# The stubs know too few of the combinations that its functions take.
pc: Any = pyarrow.compute


@dataclass(frozen=True)
class Protection:
    """What is to stay.

    Attributes:
        older_than: only tags not updated for so many days may go; without a date none may.
        not_pulled_for: only tags neither pulled nor updated for so many days may go; likewise.
        keep_newest: so many tags of each repository stay, by update time.
        globs: tags that stay: `v*` is a tag's name, `team/*` a repository, `team/app:v*` both.
        in_use: tags stay that were seen in a snapshot of what runs.
    """

    older_than: int | None = None
    keep_newest: int = 0
    globs: tuple[str, ...] = ()
    in_use: bool = True
    not_pulled_for: int | None = None

    def protects(self, tags: pa.Table, as_of: datetime, is_seen: Bools) -> Bools:
        """Of each tag whether it stays, whatever else does; `is_seen`: whether it was seen.

        Raises:
            NoPullsKnown: pulls are to protect, and nothing says when any tag was pulled.
        """
        is_protected = is_seen.copy() if self.in_use else np.zeros(tags.num_rows, np.bool_)
        for judged, rule in self._rules(tags) if tags.num_rows else []:
            is_protected |= np.asarray(simulate(judged, [rule], as_of)["verdict"]) == "kept"
        for glob in self.globs:
            is_protected |= _matches(tags, glob)
        return is_protected

    def _rules(self, tags: pa.Table) -> Iterator[tuple[pa.Table, Rule]]:
        """The same as rules that keep what is to stay, each with the tags as it sees them."""
        if self.older_than is not None:
            yield tags, Rule("*", "date_rule", self.older_than)
        if self.not_pulled_for is not None:
            yield _as_pulled(tags), Rule("*", "date_rule", self.not_pulled_for)
        if self.keep_newest:
            yield tags, Rule("*", "tag_rule", self.keep_newest)


def _as_pulled(tags: pa.Table) -> pa.Table:
    """The tags as if each had been updated when it was pulled, where that is later.

    One without a date stays without: it may have been updated after its last pull.
    """
    pulled, updated = tags["pulled_at"], tags["known_updated_at"]
    if pulled.null_count == tags.num_rows:
        raise NoPullsKnown(
            "No tag has a time of its last pull: only instances of the enterprise edition tell it"
            " (SWR_INSTANCE_ID). --older-than goes by updates."
        )
    is_later = pc.fill_null(pc.greater(pulled, updated), fill_value=False)
    at = tags.schema.get_field_index("known_updated_at")
    return tags.set_column(at, "known_updated_at", pc.if_else(is_later, pulled, updated))


def _matches(tags: pa.Table, glob: str) -> Bools:
    pattern = re.compile(translate(glob))
    names: Any = tags["tag"]
    if ":" in glob:
        parts = [tags["namespace"], "/", tags["repository"], ":", tags["tag"]]
        names = joined(*parts)
    elif "/" in glob:
        names = joined(tags["namespace"], "/", tags["repository"])
    found = encoded(names)
    is_hit = [pattern.match(name) is not None for name in found.dictionary.to_pylist()]
    return np.asarray(is_hit, np.bool_)[np.asarray(found.indices, np.int64)]
