"""The best plan for the published warehouse: what may go, in SQL; which of it, by `deciding`.

Deletes nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipelines.deciding.closures import Choices, Steps, best_steps, sums
from pipelines.deciding.min_cut import Bools, Ints
from pipelines.deciding.plan import Plan, Wish, best_plan
from pipelines.deciding.protection import Protection
from pipelines.deciding.simulate import encoded, repository_codes, taken
from pipelines.warehouse.asking import Asked, asking
from pipelines.warehouse.in_use import NOTHING_MORE, Landed
from pipelines.warehouse.in_use_seen import QUESTIONS as IN_USE_QUESTIONS
from pipelines.warehouse.in_use_seen import Seen, seen_in
from pipelines.warehouse.reclaimable import chosen_tags, count_sets
from pipelines.warehouse.resources import LEAST, Resources

QUESTIONS = (
    "decidable_tags",
    "plan_requires",
    "plan_blobs",
    "reclaimable",
    "shares",
    "breaks",
    *IN_USE_QUESTIONS,
)
_NAMES = ("namespace", "repository", "tag", "manifest_digest")


@dataclass(frozen=True)
class Planned:
    """A plan, and what it stands beside.

    Attributes:
        as_of: the moment it is for.
        tags: those to delete, in the order of the steps that take them: their names, the digest
            each must still point at, `verdict`, `reason`, `bytes` (its share of what all give
            back), `rank` (the number of its step).
        live_tag_count, ready_tag_count: all tags, and those that nothing protects.
        together: what the tags give back, a row of sql/questions/reclaimable.sql.
        plan: the plan as it was decided.
        steps: the way it is on.
        breaks: what other tags would lose.
        seen: what was seen running.
    """

    as_of: datetime
    tags: pa.Table
    live_tag_count: int
    ready_tag_count: int
    together: Mapping[str, Any]
    plan: Plan
    steps: Steps
    breaks: pa.Table
    seen: Seen


def plan_deletion(
    directory: Path,
    wish: Wish,
    protection: Protection,
    resources: Resources = LEAST,
    landed: Landed = NOTHING_MORE,
) -> Planned:
    """Plan which tags to delete.

    Raises:
        WarehouseMissing: there is no warehouse yet.
    """
    with asking(directory, QUESTIONS, resources, landed) as asked:
        return plan(asked, wish, protection)


def plan(asked: Asked, wish: Wish, protection: Protection) -> Planned:
    """The same, of a warehouse that is asked."""
    tags = asked.ask("decidable_tags")
    as_of: datetime = count_sets(asked, {0: []})["as_of"][0].as_py()
    seen = seen_in(asked)
    is_seen = np.isin(tags["tag_key"].to_numpy(), seen.tag_keys)
    decisions = _Decisions(asked, tags, protection.protects(tags, as_of, is_seen))
    choices = decisions.choices(asked)
    steps = best_steps(choices)
    found = best_plan(choices, steps, wish)
    rows = decisions.rows_of(found.is_taken)
    keys = tags["tag_key"].to_numpy()[rows]
    [together] = count_sets(asked, {0: keys}).to_pylist()
    chosen = chosen_tags({0: keys})
    ranks = steps.step_of[decisions.number_of[rows]]
    return Planned(
        as_of=as_of,
        tags=_listed(taken(tags, rows), asked.ask("shares", chosen=chosen), ranks, found, steps),
        live_tag_count=tags.num_rows,
        ready_tag_count=int((decisions.number_of >= 0).sum()),
        together=together,
        plan=found,
        steps=steps,
        breaks=asked.ask("breaks", chosen=chosen),
        seen=seen,
    )


class _Decisions:
    """The decisions that are open: tags of a repository on one digest, none of them protected.

    Attributes:
        number_of: of each tag the number of its decision; -1 where that is to stay.
    """

    def __init__(self, asked: Asked, tags: pa.Table, is_protected: Bools) -> None:
        codes, _ = repository_codes(tags)
        digests = np.asarray(encoded(tags["manifest_digest"]).indices, np.int64)
        pairs = codes * (digests.max(initial=0) + 1) + digests
        # A decision is known by its first tag, as in the questions.
        _, first, which = np.unique(pairs, return_index=True, return_inverse=True)
        keys = tags["tag_key"].to_numpy()[first]
        stays = np.bincount(which[is_protected], minlength=len(first)) > 0
        requires = asked.ask("plan_requires")
        self._place = np.full(int(keys.max(initial=0)) + 1, -1, np.int64)
        self._place[keys] = np.arange(len(keys))
        needing, needed = (self._place[requires[n].to_numpy()] for n in requires.column_names)
        stays = _with_needing(stays, needing, needed)
        number = np.cumsum(~stays) - 1
        number[stays] = -1
        self.number_of: Ints = number[which]
        self._number = number
        self._keys = keys[~stays]
        is_open = ~stays[needing]
        self._requires = number[needing[is_open]], number[needed[is_open]]

    def choices(self, asked: Asked) -> Choices:
        """The decisions with what they cost and give back."""
        ready = pa.table({"decision_key": pa.array(self._keys, pa.int64())})
        blobs = asked.ask("plan_blobs", ready=ready)
        groups: npt.NDArray[Any] = blobs["blob_key"].to_numpy()
        users = self._number[self._place[blobs["decision_key"].to_numpy()]]
        sizes: Ints = blobs["size_bytes"].to_numpy()
        _, first, which, counts = np.unique(
            groups, return_index=True, return_inverse=True, return_counts=True
        )
        is_shared = counts > 1
        number = np.cumsum(is_shared) - 1
        is_alone = ~is_shared[which]
        count = len(self._keys)
        open_tags = self.number_of[self.number_of >= 0]
        return Choices(
            tags=np.bincount(open_tags, minlength=count),
            own=sums(count, users[is_alone], sizes[is_alone]),
            shared=sizes[first[is_shared]],
            users=(number[which[~is_alone]], users[~is_alone]),
            requires=self._requires,
        )

    def rows_of(self, is_taken: Bools) -> Ints:
        """The places of the tags of some decisions."""
        return np.flatnonzero((self.number_of >= 0) & np.append(is_taken, False)[self.number_of])


def _with_needing(stays: Bools, needing: Ints, needed: Ints) -> Bools:
    """Decisions that stay, and those that some of them have to go with."""
    while (is_new := stays[needed] & ~stays[needing]).any():
        stays = stays.copy()
        stays[needing[is_new]] = True
    return stays


def _listed(tags: pa.Table, shares: pa.Table, ranks: Ints, found: Plan, steps: Steps) -> pa.Table:
    """The tags of a plan, in its order."""
    order = np.argsort(ranks, kind="stable")
    is_whole = np.bincount(steps.step_of[found.is_taken], minlength=len(steps.tags)) == np.bincount(
        steps.step_of[steps.step_of >= 0], minlength=len(steps.tags)
    )
    columns: dict[str, Any] = {name: taken(tags[name], order) for name in _NAMES}
    return pa.table(
        columns
        | {
            "verdict": pa.repeat("deleted", len(order)),
            "reason": [_reason(steps, step, is_whole[step]) for step in ranks[order].tolist()],
            "bytes": taken(shares["bytes"], order),
            "rank": pa.array(ranks[order] + 1, pa.int64()),
        }
    )


def _reason(steps: Steps, step: int, is_whole: object) -> str:
    if not is_whole:
        return f"deleted: part of step {step + 1}"
    tags, given = int(steps.tags[step]), int(steps.bytes[step])
    give = "1 tag gives" if tags == 1 else f"{tags} tags give"
    return f"deleted: step {step + 1}, {give} back {given} bytes"
