"""Draws a registry of which everything is known, and what some runs see of it.

What they see is cut as the rules of docs/sizes.md name it: manifests unread or unreadable, sizes
that nobody states, rejected records, readings that fail, miss tags or are not made, lists that
are short, repositories of which nobody knows whether they are gone. `refuted` names every claim
that the truth as last read contradicts.
"""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from random import Random
from typing import Any

from brute_force_knowledge import Row
from described_registry import Description

REPOSITORIES = ["a/app", "a/lib", "b/app", "b/deep/er", "c/tool"]
AGES = [0, 5, 20, 60, 100, 200, 400]
EXACT = 48
KINDS = ["image", "image", "image", "index", "index", "schema1", "artifact", "cache"]
Tags = dict[str, Any]
State = dict[str, Tags]


def truth(random: Random, run_count: int) -> Description:
    """A registry of which everything is known, at the moment of each run."""
    blobs = {f"blob{n}": random.choice([1, 2, 7, 100, 101, 1000]) for n in range(12)}
    foreign = set(random.sample(sorted(blobs), 2))
    manifests: dict[str, Any] = {}
    for number in range(random.randint(2, 14)):
        manifests[f"m{number}"] = _manifest(random, list(manifests), blobs, foreign)
    state: State = {name: {} for name in random.sample(REPOSITORIES, random.randint(1, 5))}
    runs = []
    for _ in range(run_count):
        state = _changed(random, list(manifests), state)
        runs.append({"tags": state, "hours": random.choice([1, 24, 60])})
    stating = {"layers": [f"{blob} {size} foreign" for blob, size in blobs.items()]}
    return {"runs": runs, "manifests": {**manifests, "stating": stating | {"first_run": 1}}}


def _manifest(
    random: Random, others: list[str], blobs: dict[str, int], foreign: set[str]
) -> Description:
    kind = random.choice(KINDS)
    layers = [
        blob + ("" if kind == "schema1" else f" {blobs[blob]}") + " foreign" * (blob in foreign)
        for blob in random.choices(sorted(blobs), k=random.randint(0, 4))
    ]
    if kind != "index":
        return {"kind": kind, "layers": layers, "first_run": 1}
    children = random.sample(others, min(len(others), random.randint(0, 3)))
    held = [f"{layer} blob" for layer in layers if "foreign" not in layer][:1]
    return {"kind": kind, "children": children + held, "first_run": 1}


def _changed(random: Random, digests: list[str], before: State) -> State:
    after = {
        name: {tag: p for tag, p in tags.items() if random.random() < 0.7} | _some(random, digests)
        for name, tags in before.items()
        if random.random() < 0.95
    }
    if random.random() < 0.2:
        after.setdefault(random.choice(REPOSITORIES), _some(random, digests))
    return after


def _some(random: Random, digests: list[str]) -> Tags:
    return {
        f"v{random.randint(0, 6)}": {
            "manifest": random.choice(digests),
            "updated_days_ago": random.choice(AGES),
        }
        for _ in range(random.randint(0, 3))
    }


@dataclass
class Watcher:
    """What runs see of a registry, and what was true when each part was last read."""

    random: Random
    luck: float
    shown: State = field(default_factory=dict)
    true: State = field(default_factory=dict)
    counted: dict[str, set[str]] = field(default_factory=dict)
    listed_at: dict[str, int] = field(default_factory=dict)
    read_at: dict[str, int] = field(default_factory=dict)
    unlisted: set[str] = field(default_factory=set)
    short: set[str] = field(default_factory=set)
    clock: int = 0

    def fails(self) -> bool:
        """Whether something goes wrong this time."""
        return self.random.random() > self.luck

    def run(self, now: State, hours: int) -> tuple[Row, Row]:
        """See what there is some hours later; give the run as seen, and as it would be if all
        were.
        """
        self.clock += hours
        self.short = set()
        seen: Row = {"crawls": {}, "unseen": {}, "namespaces": [], "skipped": []}
        for namespace in sorted({name.split("/")[0] for name in (*now, *self.shown)}):
            self._list(seen, namespace, now)
        seen |= {"tags": deepcopy(self.shown), "unlisted": sorted(self.unlisted)}
        seen["counted"] = [
            {"in": name, "record_key": key}
            for name, keys in sorted(self.counted.items())
            for key in sorted(keys)
        ]
        return seen, {"tags": deepcopy(self._as_last_read(now))}

    def _list(self, seen: Row, namespace: str, now: State) -> None:
        status = "complete"
        if self.fails():
            status = self.random.choice(["failed", "not_asked", "incomplete"])
        mine = sorted(name for name in {*now, *self.shown} if name.split("/")[0] == namespace)
        there = [name for name in mine if name in now]
        if status == "incomplete":
            there = self.random.sample(there, len(there) // 2)
            self.short.add(namespace)
        seen["namespaces"].append({"namespace": namespace, "list_status": status})
        if status == "complete":
            self.listed_at[namespace] = self.clock
        for name in mine:
            if status in ("failed", "not_asked") or (status == "incomplete" and name not in there):
                if name in self.shown:
                    _stands(seen, name, status)
            elif name in there and (name in self.shown or status in ("complete", "incomplete")):
                self._read(seen, name, now[name])
            elif name in self.shown:
                self._ask_after(seen, name)

    def _ask_after(self, seen: Row, name: str) -> None:
        """A known repository is in no list any more: gone, or nobody says."""
        if self.fails():
            seen["crawls"][name] = "failed"
            self.unlisted.add(name)
            return
        for known in (self.shown, self.true, self.counted, self.read_at):
            known.pop(name, None)
        self.unlisted.discard(name)

    def _read(self, seen: Row, name: str, now: Tags) -> None:
        self.unlisted.discard(name)
        old = self.shown.setdefault(name, {})
        status = "complete"
        if self.fails():
            status = self.random.choice(["incomplete", "failed", "not_asked"])
        if status in ("failed", "not_asked"):
            _stands(seen, name, status)
            return
        seen["crawls"][name] = status
        self.read_at[name] = self.clock
        self.true[name] = now
        rejected = {tag for tag in now if self.random.random() > self.luck**0.3}
        nameless = {tag for tag in rejected if self.random.random() < 0.3}
        missed = {tag for tag in now if status == "incomplete" and self.random.random() < 0.3}
        good = {tag: p for tag, p in now.items() if tag not in rejected | missed}
        keys = {f"#{tag}" if tag in nameless else tag for tag in rejected - missed}
        keeps_old = status == "incomplete" or bool(nameless - missed)
        kept = {tag: p for tag, p in old.items() if keeps_old or tag in keys}
        if status == "incomplete":
            keys |= self.counted.get(name, set()) - set(good)
        if keeps_old:
            seen["unseen"][name] = len(set(kept) - set(good) - keys)
        self.shown[name] = {**kept, **good}
        self.counted[name] = keys

    def _as_last_read(self, now: State) -> State:
        """What was true of each part when it was last read; what is, where that is in doubt or
        nobody ever read it.
        """
        listed = {n for n, at in self.listed_at.items() if self.clock - at <= EXACT} - self.short
        anew = {n for n in now if n not in self.read_at and n.split("/")[0] not in listed}
        anew |= self.unlisted | {n for n, at in self.read_at.items() if self.clock - at > EXACT}
        names = {*self.shown, *anew}
        state = {name: self.true.get(name, now.get(name, {})) for name in names - anew}
        return state | {name: tags for name, tags in now.items() if name in anew}


def _stands(seen: Row, name: str, status: str) -> None:
    """A repository was not read: asked for in vain, or not asked for."""
    if status == "failed":
        seen["crawls"][name] = "failed"
    else:
        seen["skipped"].append(name)


def seen(random: Random, true: Description) -> tuple[Description, Description]:
    """What runs see of a registry, and the registry as they last read it."""
    watcher = Watcher(random, random.choice([1.0, 0.95, 0.9, 0.8]))
    shown, as_read = deepcopy(true), deepcopy(true)
    for number, run in enumerate(true["runs"]):
        seen_run, read_run = watcher.run(run["tags"], run["hours"])
        shown["runs"][number] |= seen_run
        as_read["runs"][number] |= read_run
    if random.random() < 0.5:
        del shown["manifests"]["stating"]
    for hide in random.sample(HIDING, random.randint(0, 2)):
        hide(random, shown)
    return shown, as_read


def _manifest_unread(random: Random, shown: Description) -> None:
    digest = random.choice(sorted(shown["manifests"]))
    if digest != "stating":
        later = random.randint(2, 4)
        if later <= len(shown["runs"]):
            shown["manifests"][digest]["first_run"] = later
        else:
            del shown["manifests"][digest]


def _manifest_unreadable(random: Random, shown: Description) -> None:
    digest = random.choice(sorted(shown["manifests"]))
    if digest != "stating":
        shown["manifests"][digest] |= {"readable_from_run": random.randint(2, 4)}


def _size_unstated(random: Random, shown: Description) -> None:
    blob = f"blob{random.randint(0, 11)}"
    nothing = random.choice(["0", str(2**50), ""])
    for manifest in shown["manifests"].values():
        for part in ("layers", "children"):
            if part in manifest:
                manifest[part] = [_unstated(text, blob, nothing) for text in manifest[part]]


def _unstated(text: str, blob: str, nothing: str) -> str:
    name, *rest = text.split()
    return " ".join([name, nothing, *rest[1:]]) if name == blob and rest[:1] else text


HIDING = [_manifest_unread, _manifest_unreadable, _size_unstated]

_SIZES = ("logical_bytes", "deduplicated_bytes", "saved_bytes")
_LEDGER = (
    "one_tag_bytes",
    "one_repository_bytes",
    "one_namespace_bytes",
    "many_namespaces_bytes",
)
_GROWTH = (
    "deduplicated_before_bytes",
    "added_bytes",
    "orphaned_bytes",
    "learned_bytes",
    "deduplicated_after_bytes",
)
_SCOPE = {
    "size_basis": _SIZES,
    "exclusive_basis": ("exclusive_bytes",),
    "allocated_basis": ("allocated_bytes",),
}
_REPOSITORY = ("namespace", "repository")
_TAG = (*_REPOSITORY, "tag")
# In each report: what a row is about, and figures by the basis that speaks of them.
CLAIMS: dict[str, tuple[tuple[str, ...], dict[str, tuple[str, ...]]]] = {
    "registry_size": ((), {"size_basis": _SIZES, "ledger_basis": _LEDGER}),
    "namespace_sizes": (("namespace",), _SCOPE),
    "repository_sizes": (_REPOSITORY, _SCOPE),
    "age_buckets": (
        (*_REPOSITORY, "age_bucket"),
        {"size_basis": ("logical_bytes",), "reclaimable_basis": ("reclaimable_bytes",)},
    ),
    "tag_sizes": (
        (*_TAG, "manifest_digest"),
        {
            "size_basis": ("logical_bytes",),
            "exclusive_basis": ("exclusive_bytes",),
            "reclaimable_basis": ("reclaimable_bytes",),
        },
    ),
    "tag_events": (
        (*_TAG, "run_id", "change", "previous_digest"),
        {"orphaned_basis": ("orphaned_bytes",)},
    ),
    "daily_growth": (("run_id",), {"basis": _GROWTH}),
}


def refuted(shown: dict[str, list[Row]], true: dict[str, list[Row]]) -> Iterator[str]:
    """Every claim of the reports of what was seen that the reports of the truth contradict."""
    for report, (names, claims) in CLAIMS.items():
        truths = {tuple(row[name] for name in names): row for row in true[report]}
        for row in shown[report]:
            key = tuple(row[name] for name in names)
            for basis, figures in claims.items():
                for figure in figures:
                    right = truths[key][figure] if key in truths else None
                    is_right = holds(row[basis], row[figure], right)
                    if (key in truths or row[basis] == "unknown") and not is_right:
                        yield f"{report} {key}: {figure} {row[figure]} {row[basis]}, not {right}"


def holds(basis: str, claim: int | None, truth: int | None) -> bool:
    """Whether a claim is true; the truth of what has no known byte at all is 0."""
    if basis in ("unknown", "estimate"):
        return (claim is None) == (basis == "unknown")
    if claim is None:
        return False
    truth = truth or 0
    return {"exact": claim == truth, "lower_bound": claim <= truth, "upper_bound": claim >= truth}[
        basis
    ]
