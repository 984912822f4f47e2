"""Which tags a plan may take: those that nothing protects."""

import re
from dataclasses import dataclass
from datetime import datetime
from fnmatch import translate
from typing import Any

import numpy as np
import pyarrow as pa

from pipelines.deciding.min_cut import Bools
from pipelines.deciding.rules import Rule
from pipelines.deciding.simulate import encoded, joined, simulate


@dataclass(frozen=True)
class Protection:
    """What is to stay.

    Attributes:
        older_than: only tags not updated for so many days may go; without a date none may.
        keep_newest: so many tags of each repository stay, by update time.
        globs: tags that stay: `v*` is a tag's name, `team/*` a repository, `team/app:v*` both.
        in_use: tags stay that were seen in a snapshot of what runs.
    """

    older_than: int | None = None
    keep_newest: int = 0
    globs: tuple[str, ...] = ()
    in_use: bool = True

    def protects(self, tags: pa.Table, as_of: datetime, is_seen: Bools) -> Bools:
        """Of each tag whether it stays, whatever else does; `is_seen`: whether it was seen."""
        is_protected = is_seen.copy() if self.in_use else np.zeros(tags.num_rows, np.bool_)
        for rule in self._rules() if tags.num_rows else []:
            is_protected |= np.asarray(simulate(tags, [rule], as_of)["verdict"]) == "kept"
        for glob in self.globs:
            is_protected |= _matches(tags, glob)
        return is_protected

    def _rules(self) -> list[Rule]:
        """The same as rules that keep what is to stay."""
        rules = []
        if self.older_than is not None:
            rules.append(Rule("*", "date_rule", self.older_than))
        if self.keep_newest:
            rules.append(Rule("*", "tag_rule", self.keep_newest))
        return rules


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
