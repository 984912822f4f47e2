"""Draws descriptions of registries (see `described_registry`) with everything that can go wrong.

Shared and repeated layers, nested and circular indexes, caches, unresolved children, foreign
layers, unknown, impossible and conflicting sizes, manifests of every kind, some readable only
later, followers by subject and by name, dates that are none; read by several runs, each of which
may fail, miss, skip, forget or reject anything.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import product
from random import Random
from typing import Any

from brute_force_knowledge import LARGEST_BLOB, NOTHING
from hypothesis import strategies as st

Description = dict[str, Any]
Tags = dict[str, Any]

REPOSITORIES = ["a/app", "a/lib", "b/app", "b/deep/er", "c/tool"]
TAGS = ["v1", "v2", "v3", "v10", "latest", "B", "1.0", "1.1", "main", "rc"]
AGES = [-2, -1, 0, 1, 7, 8, 30, 31, 90, 91, 180, 181, 365, 366, 900]
NO_DATES = [
    datetime(1, 1, 1, tzinfo=UTC),
    datetime(1970, 12, 31, 23, 59, 59, tzinfo=UTC),
    datetime(1971, 1, 1, tzinfo=UTC),
    datetime(1980, 1, 1, 0, 0, 1, tzinfo=UTC),
    datetime(2026, 1, 2, 12, tzinfo=UTC),
    datetime(2026, 1, 1, 12, 1, 1, tzinfo=UTC),
]
SIZES = [None, 0, 1, 2, 7, 100, 101, 1000, LARGEST_BLOB, LARGEST_BLOB + 1]
DATES = [datetime(2025, 12, day, tzinfo=UTC) for day in (1, 30, 31)]
ENDINGS = ["", ".sig", ".att", ".sbom", ".txt", "-scan", "0"]
READINGS = {
    "complete": 12,
    "unchanged": 2,
    "incomplete": 2,
    "failed": 2,
    "skipped": 3,
    "unlisted": 1,
    "recreated": 1,
    "missing": 1,
    "forgotten": 1,
}


@st.composite
def registries(draw: st.DrawFn, most_manifests: int = 60) -> Description:
    """Draw a registry of up to so many manifests, seen by one to four runs."""
    random = draw(st.randoms(use_true_random=False))
    return registry(random, random.randint(1, most_manifests))


def registry(random: Random, manifest_count: int, *, is_plain: bool = False) -> Description:
    """Make up a registry of so many manifests.

    Args:
        random: decides.
        manifest_count: how many there are.
        is_plain: all goes well, and no name or size means more than itself.
    """
    digests = [_digest(random, number) for number in range(manifest_count)]
    run_count = random.randint(1, 4)
    luck = 0.0 if is_plain else random.choice([0.0, 0.5, 1.0])
    blobs = [f"blob{number}" for number in range(random.randint(1, 2 * manifest_count))]
    sizes = {blob: random.choice(SIZES if random.random() < luck else [3, 70]) for blob in blobs}
    sizes |= {} if is_plain else dict.fromkeys(sorted(NOTHING)[:1], 0)
    manifests: dict[str, Any] = {}
    for digest in digests:
        manifests[digest] = _manifest(random, luck, digests, manifests, sizes)
        if is_plain:
            _hold_no_blobs(manifests[digest])
        if random.random() < 0.2 * luck:
            manifests[digest]["first_run"] = random.randint(1, run_count)
        if random.random() < 0.1 * luck:
            manifests[digest]["readable_from_run"] = random.randint(2, run_count + 1)
    described: Description = {
        "manifests": manifests,
        "report_labels": ["team", "source"],
        "configs": _configs(random, luck, digests, [*sizes]),
        "measured": _measured(random, luck, sizes, run_count),
    }
    watched = Watched(random, luck, manifests, is_plain)
    described["runs"] = [watched.run() for _ in range(run_count)]
    for run in described["runs"]:
        run["fits"] = [fit for name in REPOSITORIES for fit in _fits(random, name)]
        run["rules"] = {name: _rule(random) for name in REPOSITORIES if random.random() < 0.7}
    return described | _price(random)


def _fits(random: Random, name: str) -> list[Description]:
    """What an execution of a rule came to by each reading, or nothing."""
    if random.random() < 0.7:
        return []
    by_number = {
        "template": ["tag_rule"],
        "unit": ["tags", "digests"],
        "ties": ["first_name", "kept"],
    }
    by_days = {"template": ["date_rule"], "days": ["24h", "utc"], "match": ["search", "full"]}
    switches = {"in": [name], "clock": ["updated", "created"]} | random.choice([by_number, by_days])
    logged = random.randint(0, 3)
    fits = []
    for values in product(*switches.values()):
        counts = {"logged_count": logged, "predicted_count": random.randint(0, 3), "tag_count": 6}
        most = min(logged, counts["predicted_count"])
        counts["agreed_count"] = random.randint(0, most)
        fits.append(dict(zip(switches, values, strict=True)) | counts)
    return fits


def _rule(random: Random) -> Description | str:
    """A rule, or why there is none to judge."""
    if random.random() < 0.3:
        return random.choice(["none", "refused", "missing", "unreadable"])
    template, most = random.choice([("tag_rule", 6), ("date_rule", 40), ("date_rule", 365)])
    choice = [
        "label latest",
        "label v1",
        "label (",
        "regexp ^v",
        "regexp 1|B",
        "regexp .",
        r"regexp \.\d$",
    ]
    selectors = random.sample(choice, random.choice([0, 0, 1, 2]))
    return {"template": template, "keeps": random.randint(1, most), "selectors": selectors}


def _price(random: Random) -> Description:
    """A price that is none, low, odd, or so high that each byte costs something."""
    price = random.choice([None, "0.01", "0.123457", "107374.1824", "999999.999999"])
    return {} if price is None else {"price_per_gb_month": price, "currency": "EUR"}


def _configs(random: Random, luck: float, digests: list[str], blobs: list[str]) -> Description:
    """Configurations that were read: dates, labels, bases that exist or do not."""
    if not luck:
        return {}
    return {blob: _config(random, digests) for blob in blobs if random.random() < 0.3}


def _config(random: Random, digests: list[str]) -> Description:
    config: Description = {"built_at": random.choice([None, *NO_DATES, *DATES])}
    if random.random() < 0.7:
        keys = random.sample(["team", "source", "other"], random.randint(0, 3))
        config["labels"] = {key: random.choice(["x", "y", "", "[z]"]) for key in keys}
    if random.random() < 0.5:
        config["base_digest"] = random.choice([*digests, "sha256:elsewhere"])
    if random.random() < 0.5:
        config["base_name"] = random.choice(["host/a/app:v1", "host/b/app:latest", "elsewhere"])
    return config


def _measured(
    random: Random, luck: float, sizes: dict[str, int | None], run_count: int
) -> Description:
    """Sizes that the registry told of blobs."""
    blobs = [blob for blob in sizes if random.random() < 0.3 * luck]
    return {blob: {"size": sizes[blob] or 5, "run": random.randint(1, run_count)} for blob in blobs}


def _hold_no_blobs(manifest: Description) -> None:
    """Let an index list nothing but manifests: the size of a blob is stated in one place."""
    if manifest["kind"] == "cache":
        manifest["kind"] = "image"
    children = manifest.get("children", [])
    manifest["children"] = [text for text in children if not text.endswith(" blob")]


def _digest(random: Random, number: int) -> str:
    if random.random() < 0.1:
        return f"sha512:{number:064x}{random.randint(0, 9):064x}"
    return f"sha256:{number:064x}"


def _manifest(
    random: Random,
    luck: float,
    digests: list[str],
    earlier: dict[str, Any],
    sizes: dict[str, int | None],
) -> Description:
    kinds = ["image", "index", "cache", "artifact", "schema1", "unknown", "invalid"]
    kind = random.choices(kinds, [12, 5, 1, 2, luck, luck, luck])[0]
    manifest: Description = {"kind": kind, "digest_verified": random.random() > 0.1 * luck}
    if random.random() < (0.5 if kind in ("unknown", "invalid") else 0.05 * luck):
        manifest["problem"] = "odd"
    if kind == "index":
        manifest["children"] = [
            _child(random, luck, digests, sizes) for _ in range(random.randint(0, 3))
        ]
    if kind not in ("index", "invalid"):
        manifest["layers"] = _layers(random, luck, earlier, sizes, is_sized=kind != "schema1")
    if kind == "cache":
        manifest["layers"] = [text.removesuffix(" foreign") for text in manifest["layers"]]
    if kind in ("image", "artifact") and random.random() < 0.9:
        config = random.choice(list(sizes))
        if not any(text.startswith(f"{config} ") for text in manifest["layers"]):
            manifest["config"] = _stated(random, luck, config, sizes)
    if random.random() < (0.5 if kind == "artifact" else 0.03):
        manifest["subject"] = random.choice([*digests, "sha256:gone"])
    return manifest


def _child(random: Random, luck: float, digests: list[str], sizes: dict[str, int | None]) -> str:
    if random.random() < 0.1:
        return f"{_stated(random, luck, random.choice(list(sizes)), sizes)} blob"
    digest = random.choice(digests) if random.random() > 0.15 * luck else "sha256:gone"
    return digest + random.choice(["", " 500", " 500", " 501"])


def _layers(
    random: Random,
    luck: float,
    earlier: dict[str, Any],
    sizes: dict[str, int | None],
    *,
    is_sized: bool,
) -> list[str]:
    """Begin with some layers of an earlier manifest, go on with any."""
    bases = [m["layers"] for m in earlier.values() if m.get("layers")]
    base = random.choice(bases) if bases and random.random() < 0.7 else []
    names = [text.split()[0] for text in base[: random.randint(0, len(base))]]
    names += random.choices(list(sizes), k=random.randint(0, 3))
    foreign = {name for name in names if random.random() < 0.13}
    stated = [_stated(random, luck, name, sizes) if is_sized else name for name in names]
    return [text + " foreign" * (text.split()[0] in foreign) for text in stated]


def _stated(random: Random, luck: float, blob: str, sizes: dict[str, int | None]) -> str:
    size, odd = sizes[blob], random.random()
    if odd < 0.02 * luck:
        size = random.choice([None, 0, 3])
    return blob if size is None else f"{blob} {size}"


@dataclass
class Watched:
    """What the runs before left of a registry, and what the next may leave."""

    random: Random
    luck: float
    manifests: dict[str, Any]
    is_plain: bool
    tags: dict[str, Tags] = field(default_factory=dict)
    counted: dict[str, list[Description]] = field(default_factory=dict)
    pulled: dict[str, int] = field(default_factory=dict)
    # Repositories and what tags of theirs pointed at in any run.
    pointed: list[tuple[str, str]] = field(default_factory=list)

    def run(self) -> Description:
        """Describe a run."""
        random = self.random
        if self.tags and random.random() < 0.05 * self.luck:
            return self._forget()
        run: Description = {
            "hours": random.choice([1, 24, 49, 60] if self.luck else [24]),
            "stale_days": random.choice([1, 30, 180]),
            "exact_hours": random.choice([None, 24, 48, 48, 72]),
            "unread_namespaces": random.choice([0, 0, 1]),
            "unread_repositories": random.choice([0, 0, 2]),
            **{name: {} for name in ("crawls", "causes", "unseen", "errors", "api_tag_counts")},
            **{name: [] for name in ("skipped", "forgets", "recreated", "unlisted", "rejected")},
        }
        for name in [*self.tags, *self._new_names()]:
            self._read(run, name)
        self._count_pulls(run)
        self._show_use(run)
        run["namespaces"] = [self._list() for _ in range(2) if random.random() < 0.1 * self.luck]
        run["tags"] = {name: dict(tags) for name, tags in self.tags.items()}
        run["counted"] = [record for name in self.tags for record in self.counted.get(name, [])]
        if random.random() < 0.5 * self.luck:
            tags = sum(map(len, run["tags"].values())) + len(run["counted"])
            run["service"] = {
                "repositories": len(self.tags) + random.choice([0, 0, 1]),
                "tags": tags + random.choice([0, 0, 1]),
                "stored": random.choice([0.0, 0.0, 5.0]),
            }
        return run

    def _count_pulls(self, run: Description) -> None:
        """Let others pull, and the run itself; a count may fall, or not be stated."""
        random = self.random
        for name in self.tags:
            self.pulled[name] = max(
                0, self.pulled.get(name, 0) + random.choice([0, 0, 1, 2, 3, -1])
            )
        stated = [name for name in self.tags if random.random() < 0.8]
        run["downloads"] = {name: self.pulled[name] for name in stated}
        run["own_pulls"] = {name: random.choice([1, 2]) for name in stated if random.random() < 0.3}
        run["not_held"] = {name: 2 for name in stated if random.random() < 0.1}

    def _show_use(self, run: Description) -> None:
        """Let some clusters show what they run."""
        random = self.random
        for name, tags in self.tags.items():
            self.pointed += [(name, pointer["manifest"]) for pointer in tags.values()]
        run["in_use_days"] = random.choice([None, 1, 2, 30])
        run["in_use"] = [
            {
                "cluster": random.choice(["prod", "test"]),
                "hours_ago": random.choice([-3, 1, 20, 60]),
                "references": sorted({self._reference() for _ in range(random.randint(0, 9))}),
            }
            for _ in range(random.choice([0, 0, 1, 2]))
        ]

    def _reference(self) -> str:
        """An image, an id of it or both, of anything that is or was, or of nothing."""
        random = self.random
        named = [] if self.is_plain else [m.get("config") for m in self.manifests.values()]
        configs = [text.split()[0] for text in named if text]
        digest = f"@{random.choice([*self.manifests, *configs, 'sha256:elsewhere'])}"
        if self.pointed and random.random() < 0.4:
            live = {p["manifest"] for tags in self.tags.values() for p in tags.values()}
            gone = [place for place in self.pointed if place[1] not in live]
            name, pointed = random.choice(random.choice([self.pointed, gone or self.pointed]))
            return f"host/{name}:{random.choice(TAGS)} | host/{name}@{pointed}"
        image = self._name() + random.choice(["", "", digest])
        image_id = random.choice(["", "", digest, self._name("") + digest, self._name("") + digest])
        if image_id and random.random() < 0.2:
            image = ""
        where = random.choice(["pod", "node"])
        return f"{image} | {image_id} | {where} | {random.choice([0, 1, 3])}"

    def _name(self, *tags: str) -> str:
        random = self.random
        host = random.choice(["host", "host", "host", "other"])
        repository = random.choice([*REPOSITORIES, "d/none"])
        tag = random.choice(tags or [f":{name}" for name in TAGS])
        return f"{host}/{repository}{tag}"

    def _forget(self) -> Description:
        names = self.random.sample(sorted(self.tags), 1)
        for name in names:
            del self.tags[name]
        forgets = [*names, *self.random.sample(["a", "d"], 1)]
        counted = [record for name in self.tags for record in self.counted.get(name, [])]
        tags = {name: dict(tags) for name, tags in self.tags.items()}
        return {"mode": "forget", "forgets": forgets, "tags": tags, "counted": counted}

    def _new_names(self) -> list[str]:
        count = self.random.randint(1, 5) if not self.tags else self.random.choice([0, 0, 1])
        return [n for n in self.random.sample(REPOSITORIES, count) if n not in self.tags]

    def _list(self) -> Description:
        status = self.random.choice(["complete", "incomplete", "failed", "not_asked"])
        unreadable = self.random.choice([0, 0, 1])
        namespace = self.random.choice(["a", "d"])
        return {
            "namespace": namespace,
            "list_status": status,
            "unreadable_repositories": unreadable,
        }

    def _read(self, run: Description, name: str) -> None:
        """Let a run read a repository, well or not, or not at all."""
        random, is_known = self.random, name in self.tags
        bad = {how: weight * self.luck for how, weight in READINGS.items() if how != "complete"}
        how = random.choices(["complete", *bad], [READINGS["complete"], *bad.values()])[0]
        if how in ("unlisted", "recreated", "missing", "forgotten", "unchanged") and not is_known:
            how = "skipped"
        old = self.tags.pop(name, {})
        if how == "missing":
            return
        if how == "forgotten":
            run["forgets"].append(name)
            return
        self.tags[name] = self._tags_after(how, old)
        if how in ("complete", "recreated", "incomplete"):
            self.counted[name] = list(self._records(name))
        self._describe(run, name, how, len(old))

    def _tags_after(self, how: str, old: Tags) -> Tags:
        if how in ("complete", "recreated"):
            return self._changed(old)
        return {**old, **self._changed({})} if how == "incomplete" else old

    def _describe(self, run: Description, name: str, how: str, known: int) -> None:
        random = self.random
        if how in ("unchanged", "incomplete", "failed"):
            run["crawls"][name] = how
        if how in ("skipped", "unlisted"):
            run["skipped"].append(name)
        if how in ("recreated", "unlisted"):
            run[how].append(name)
        if how == "incomplete":
            run["causes"][name] = random.choice([None, "list_contradicted"])
            run["unseen"][name] = random.choice([0, min(1, known), known])
        if how in ("incomplete", "failed"):
            run["errors"][name] = "refused"
        if random.random() < 0.5:
            counted = len(self.tags[name]) + len(self.counted.get(name, []))
            run["api_tag_counts"][name] = max(0, counted + random.choice([0, 0, 0, 1, -1]))
        if random.random() < 0.1 * self.luck:
            run["rejected"].append({"repository": name, "reason": "no digest"})

    def _records(self, name: str) -> list[Description]:
        """Records that are counted and are no live tags, or are newer than what is known of one."""
        random = self.random
        keys = [random.choice([*TAGS, "#1", "#2"]) for _ in range(2) if random.random() < 0.1]
        reasons = ["rejected", "rejected", "deleted"] if self.luck else ["deleted"]
        records = {key: random.choice(reasons) for key in keys}
        return [
            {"in": name, "record_key": key, "reason": reason}
            for key, reason in records.items()
            if reason == "rejected" or key not in self.tags[name]
        ]

    def _changed(self, old: Tags) -> Tags:
        """Keep, move, delete and create some tags of a repository."""
        random = self.random
        new = {tag: pointer for tag, pointer in old.items() if random.random() < 0.85}
        for _ in range(random.randint(1, 8)):
            algorithm, _, subject = random.choice(list(self.manifests)).partition(":")
            follower = f"{algorithm}-{subject[:64]}{random.choice(ENDINGS)}"
            followers = [] if self.is_plain else [follower] * 3
            new[random.choice([*TAGS, *followers])] = self._pointer()
        return new

    def _pointer(self) -> Description:
        random = self.random
        ages = [age for age in AGES if age >= 0] if self.is_plain else AGES
        digest = random.choice(list(self.manifests))
        if random.random() < 0.05 * self.luck:
            digest = "sha256:never-read"
        pointer = {
            "manifest": digest,
            "updated_days_ago": random.choice(ages),
            "created_days_ago": random.choice([*ages, None]),
            "api_size_bytes": random.choice(self._sums(digest)),
        }
        if random.random() < 0.1 * self.luck:
            pointer[random.choice(["created_at", "updated_at"])] = random.choice(NO_DATES)
        if random.random() < 0.1:
            pointer["tag_type"] = random.choice([0, 1, 2])
        if random.random() < 0.05:
            pointer["unreadable_fields"] = "size"
        return pointer

    def _sums(self, digest: str) -> list[int | None]:
        """Some ways to count an image, right and wrong."""
        if self.is_plain:
            return [None, 107]
        manifest = self.manifests.get(digest, {})
        texts = [*manifest.get("layers", []), *filter(None, [manifest.get("config")])]
        stored = [text for text in texts if "foreign" not in text]
        ways = [texts, stored, list(dict.fromkeys(texts)), list(dict.fromkeys(stored))]
        return [*(sum(map(_size, way)) for way in ways), None, 0, 107]


def _size(text: str) -> int:
    return sum(int(word) for word in text.split()[1:2] if word.isdigit())
