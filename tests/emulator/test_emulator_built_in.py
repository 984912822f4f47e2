"""The built-in registry: deterministic, with every kind of manifest, and figures like real ones."""

import base64
import hashlib
import io
import json
import tarfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from pipelines.emulator.built_in.image_lines import LINES
from pipelines.emulator.built_in.registry import advance_a_day, built_in_registry
from pipelines.emulator.registry import Registry

TODAY = date(2026, 11, 23)
MIDNIGHT = datetime.combine(TODAY, time(), UTC)
DOCKER, OCI = "application/vnd.docker.distribution.manifest", "application/vnd.oci.image"
Records = dict[tuple[str, str], dict[str, Any]]
LABEL, OWNED = "org.opencontainers.image", timedelta(days=1200)
LACKING = {("data/scratch/uploads", "import-2"), ("data/scratch/uploads", "import-3")}


def records_of(registry: Registry) -> Records:
    """Every record by repository and tag."""
    return {
        (f"{row['namespace']}/{row['name']}", tag.name): tag.wire
        for row in registry.repository_records()
        for tag in registry.tags(row["namespace"], row["name"])
    }


@pytest.fixture(scope="module")
def records() -> Records:
    """The records of the built-in registry."""
    return records_of(built_in_registry(TODAY))


@pytest.fixture(scope="module")
def manifests(records: Records) -> dict[str, Any]:
    """Every distinct manifest that a record holds, by digest."""
    whole = [record for key, record in records.items() if key not in LACKING]
    return {record["digest"]: json.loads(record["manifest"]) for record in whole}


def moment(stamp: str) -> datetime:
    """A stamp as a moment."""
    return datetime.fromisoformat(stamp)


def kind_of(manifest: Mapping[str, Any]) -> str:
    """What a manifest is, by its media types alone."""
    if manifest["schemaVersion"] == 1:
        return "schema 1, signed" if "signatures" in manifest else "schema 1"
    if "artifactType" in manifest:
        return "artifact with subject"
    parts = {manifest.get("config", {}).get("mediaType", "")} | {
        layer["mediaType"] for layer in manifest.get("layers", ())
    }
    special = {"helm": "chart", "cosign": "signature", "foreign": "image with foreign layers"}
    named = [name for word, name in special.items() if any(word in part for part in parts)]
    return named[0] if named else manifest["mediaType"]


def test_it_is_a_company_of_three_namespaces_and_forty_repositories() -> None:
    """About two thousand tags; some repositories have levels, the bases are public."""
    registry = built_in_registry(TODAY)
    rows = registry.repository_records()
    names = [f"{row['namespace']}/{row['name']}" for row in rows]
    assert Counter(row["namespace"] for row in rows) == {"data": 12, "platform": 14, "shop": 14}
    assert {"platform/base/python", "shop/checkout", "data/notebooks/gpu"} <= set(names)
    assert 1_950 <= registry.tag_count <= 2_150
    assert [name for name, row in zip(names, rows, strict=True) if row["is_public"]] == [
        f"platform/base/{name}" for name in ("alpine", "cuda", "debian", "java", "node", "python")
    ]
    assert all(40 <= row["num_download"] < 90_000 for row in rows)


def test_it_is_the_same_each_time(records: Records) -> None:
    """To the byte; only another seed makes another company."""
    assert records_of(built_in_registry(TODAY)) == records
    assert records_of(built_in_registry(TODAY, seed=2)) != records


DATES = {"created", "updated", "deleted"}


@pytest.mark.parametrize(
    ("days", "dependent"), [(20, DATES), (100, DATES | {"digest", "image_id", "manifest"})]
)
def test_only_dates_depend_on_the_day_asked_for(
    records: Records, days: int, dependent: set[str]
) -> None:
    """That many days earlier everything is the same, that many days earlier.

    In another month also images, which say when they were built, and with them their digests.
    """
    found = [
        {key: row for key, row in state.items() if not key[1].startswith("sha256-")}
        for state in (records, records_of(built_in_registry(TODAY - timedelta(days=days))))
    ]
    assert list(found[0]) == list(found[1])
    for record, before in zip(found[0].values(), found[1].values(), strict=True):
        changed = {key for key in record if record[key] != before[key]}
        assert changed <= dependent
        for key in DATES:
            if record[key]:
                assert moment(record[key]) - moment(before[key]) == timedelta(days=days)


def test_its_history_spans_the_four_years_before_today(records: Records) -> None:
    """The oldest tag dates from the first weeks, the newest from the last days."""
    created = [moment(record["created"]) for record in records.values()]
    updated = [moment(record["updated"]) for record in records.values()]
    assert MIDNIGHT - timedelta(days=1460) < min(created) < MIDNIGHT - timedelta(days=1430)
    assert MIDNIGHT - timedelta(days=3) < max(updated) < MIDNIGHT
    assert all(first <= last for first, last in zip(created, updated, strict=True))


def test_every_digest_is_true(records: Records) -> None:
    """The hash of the text; of a signed schema 1 manifest without its signatures.

    The records of two images lack their text, or half of it.
    """
    for key, record in records.items():
        if key in LACKING:
            continue
        text = record["manifest"]
        parsed = json.loads(text)
        if "signatures" in parsed:
            protected = json.loads(unpadded(parsed["signatures"][0]["protected"]))
            tail = unpadded(protected["formatTail"]).decode()
            text = text[: protected["formatLength"]] + tail
            assert "signatures" not in json.loads(text)
        assert record["digest"] == "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def unpadded(text: str) -> bytes:
    """Decode base64 as signatures write it."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_every_kind_of_manifest_is_there(records: Records, manifests: dict[str, Any]) -> None:
    """As many of each as the company's figures say."""
    lines = Counter({line.is_oci: 0 for line in LINES})
    for line in LINES:
        lines[line.is_oci] += line.builds
    assert Counter(map(kind_of, manifests.values())) == {
        f"{DOCKER}.v2+json": lines[False] + 2 * 24 + 11,
        f"{OCI}.manifest.v1+json": lines[True] + 2 * 14 + 4 * 5,
        f"{DOCKER}.list.v2+json": 24 + 11,
        f"{OCI}.index.v1+json": 14 + 3 * 5 + 1,
        "schema 1, signed": 9,
        "schema 1": 6,
        "chart": 20 + 8,
        "signature": 12,
        "artifact with subject": 12,
        "image with foreign layers": 8,
    }
    assert [tag for (_, tag), record in records.items() if record["deleted"]] == ["import-0"]


def test_lists_have_children_that_are_tagged_and_some_that_are_not(
    records: Records, manifests: dict[str, Any]
) -> None:
    """Untagged are two processors of kubectl, attestations, an upload; runner nests indexes."""
    tagged: dict[str, set[str]] = defaultdict(set)
    for (name, _), record in records.items():
        tagged[name].add(record["digest"])
    untagged: Counter[str] = Counter()
    nested: Counter[str] = Counter()
    attestations: Counter[str] = Counter()
    for name, digests in tagged.items():
        for digest in digests:
            for child in manifests.get(digest, {}).get("manifests", ()):
                untagged[name] += child["digest"] not in digests
                nested[name] += child["mediaType"] == f"{OCI}.index.v1+json"
                attestations[name] += child.get("platform", {}).get("os") == "unknown"
    assert +untagged == {
        "platform/tools/kubectl": 22,
        "platform/observability/collector": 28,
        "data/scratch/uploads": 2,
    }
    assert +nested == {"platform/ci/runner": 10}
    assert +attestations == {"platform/observability/collector": 28}


def test_subjects_and_signature_tags_name_manifests_that_are_there(records: Records) -> None:
    """Twelve releases have both a signature and a bill of materials."""
    mine = {tag: record for (name, tag), record in records.items() if name == "shop/payments/api"}
    digests = {record["digest"] for record in mine.values()}
    signed = {tag.removesuffix(".sig").replace("-", ":") for tag in mine if tag.endswith(".sig")}
    subjects = {
        json.loads(record["manifest"])["subject"]["digest"]
        for tag, record in mine.items()
        if tag.endswith(".sbom")
    }
    assert len(signed) == 12
    assert signed == subjects
    assert signed <= digests


def quantile(values: Iterable[float], share: float) -> float:
    """The value below which that share lies."""
    ordered = sorted(values)
    return ordered[int(share * (len(ordered) - 1))]


def line_layers(records: Records) -> list[list[tuple[str, int]]]:
    """Digest and size of the layers of each distinct image of the company's lines."""
    names = {line.name for line in LINES}
    texts = {
        record["digest"]: record["manifest"]
        for (name, tag), record in records.items()
        if name in names and not tag.endswith((".sig", ".sbom"))
    }
    return [
        [(layer["digest"], layer["size"]) for layer in json.loads(text)["layers"]]
        for text in texts.values()
    ]


def test_its_figures_resemble_those_of_a_real_registry(records: Records) -> None:
    """Within a fifth of what 27,660 images of a public registry have."""
    images = line_layers(records)
    counts = [len(layers) for layers in images]
    sizes = [sum(size for _, size in layers) for layers in images]
    users = Counter(digest for layers in images for digest, _ in layers)
    distinct = {digest: size for layers in images for digest, size in layers}
    found = {
        "layers p50": quantile(counts, 0.5),
        "layers p90": quantile(counts, 0.9),
        "layers max": max(counts),
        "image p10": quantile(sizes, 0.1),
        "image p50": quantile(sizes, 0.5),
        "image p90": quantile(sizes, 0.9),
        "layer p10": quantile(distinct.values(), 0.1),
        "layer p50": quantile(distinct.values(), 0.5),
        "layer p90": quantile(distinct.values(), 0.9),
        "layer max": max(distinct.values()),
        "in one image": sum(count == 1 for count in users.values()) / len(users),
        "shared": sum(sizes) / sum(distinct.values()),
    }
    expected = {
        "layers p50": 5,
        "layers p90": 10,
        "layers max": 23,
        "image p10": 39e6,
        "image p50": 264e6,
        "image p90": 2.1e9,
        "layer p10": 229,
        "layer p50": 13e6,
        "layer p90": 255e6,
        "layer max": 4.1e9,
        "in one image": 0.63,
        "shared": 3.35,
    }
    assert found == pytest.approx(expected, rel=0.2)


def test_images_share_bases_across_namespaces_and_tags_share_digests(
    records: Records, manifests: dict[str, Any]
) -> None:
    """A release has up to four tags; three images were copied to another namespace."""
    namespaces: dict[str, set[str]] = defaultdict(set)
    tags: dict[tuple[str, str], list[str]] = defaultdict(list)
    owners: dict[str, set[str]] = defaultdict(set)
    for (name, tag), record in records.items():
        tags[name, record["digest"]].append(tag)
        owners[record["digest"]].add(name)
        for layer in manifests[record["digest"]].get("layers", ()):
            namespaces[layer["digest"]].add(name.partition("/")[0])
    assert Counter(map(len, namespaces.values()))[3] > 10
    newest = tags["shop/checkout", records["shop/checkout", "latest"]["digest"]]
    assert len(newest) == 4
    shared = [found for found in owners.values() if len(found) > 1]
    assert shared == [{"data/scratch/uploads", "shop/payments/api"}] * 3


Repository = tuple[str, str]


def repositories_of(registry: Registry) -> list[Repository]:
    """Namespace and name of each repository."""
    return [(row["namespace"], row["name"]) for row in registry.repository_records()]


def pulled(registry: Registry, repository: Repository) -> Iterator[dict[str, Any]]:
    """Every manifest that can be reached from a repository's tags, as a pull gets it."""
    left = [tag.wire["digest"] for tag in registry.tags(*repository) if not tag.wire["deleted"]]
    seen = set()
    while left:
        digest = left.pop()
        if digest in seen:
            continue
        seen.add(digest)
        found = registry.manifest(*repository, digest)
        assert found, (repository, digest)
        parsed = json.loads(found.text)
        if "signatures" not in parsed:
            assert hashlib.sha256(found.text.encode()).hexdigest() == digest.removeprefix("sha256:")
        left += [child["digest"] for child in parsed.get("manifests", ())]
        yield parsed


def images_of(registry: Registry) -> Iterator[tuple[Repository, dict[str, Any], dict[str, Any]]]:
    """Every image of a platform that can be pulled, with its configuration."""
    for repository in repositories_of(registry):
        for manifest in pulled(registry, repository):
            if "image" not in manifest.get("config", {}).get("mediaType", ""):
                continue
            content = registry.blob(*repository, manifest["config"]["digest"])
            assert content is not None
            assert manifest["config"]["size"] == len(content)
            config = json.loads(content)
            if config["os"] != "unknown":
                yield repository, manifest, config


def a_day_later() -> Registry:
    """The built-in registry, moved on by a day."""
    registry = built_in_registry(TODAY)
    advance_a_day(registry, TODAY)
    return registry


@pytest.fixture(scope="module", params=[lambda: built_in_registry(TODAY), a_day_later])
def registry(request: pytest.FixtureRequest) -> Registry:
    """The built-in registry, also a day later."""
    made: Registry = request.param()
    return made


def test_a_pull_finds_all_that_tags_lead_to(registry: Registry) -> None:
    """Manifests to any depth, and the size of each blob that no other registry stores."""
    for repository in repositories_of(registry):
        for manifest in pulled(registry, repository):
            layers = manifest.get("layers", manifest.get("fsLayers", ()))
            for part in (manifest.get("config"), *layers):
                if part is None or "urls" in part:
                    continue
                size = registry.blob_size(*repository, part.get("digest") or part["blobSum"])
                assert size is not None
                assert size == part.get("size", size)


def test_configurations_are_real(registry: Registry) -> None:
    """Of each image: its platform and date, a digest for each layer, a step for each, labels."""
    for repository, manifest, config in images_of(registry):
        layers = [step for step in config["history"] if not step.get("empty_layer")]
        # Windows images are said nothing of.
        count = 0 if config["os"] == "windows" else len(manifest["layers"])
        assert len(config["rootfs"]["diff_ids"]) == len(manifest["layers"])
        assert len(layers) == count
        assert all(moment(step["created"]) <= moment(config["created"]) for step in layers)
        labels = config["config"]["Labels"] or {}
        assert bool(labels) == (repository != ("data", "scratch/uploads") or count > 1)
        is_owned = moment(config["created"]) > datetime(2026, 11, 1, tzinfo=UTC) - OWNED
        assert ("team" in labels) == ("maintainer" in labels) == (bool(labels) and is_owned)
        name = "/".join(repository)
        assert (f"{LABEL}.base.name" in labels) == any(
            line.is_oci and line.name == name for line in LINES
        )


def test_images_are_built_before_they_are_pushed(registry: Registry) -> None:
    """By up to a month."""
    for repository in repositories_of(registry):
        for tag in registry.tags(*repository):
            found = registry.manifest(*repository, tag.name)
            config = registry.blob(*repository, found.config_digest or "") if found else None
            built = json.loads(config).get("created", "0001") if config else "0001"
            if built.startswith("0001") or repository == ("data", "scratch/uploads"):
                continue
            age = moment(tag.wire["updated"]) - moment(built)
            assert timedelta(seconds=-1) < age < timedelta(days=31)


def test_labels_name_a_base_that_is_there(registry: Registry) -> None:
    """By name and digest; its layers are the first of the image's."""
    for _, manifest, config in images_of(registry):
        labels = config["config"]["Labels"] or {}
        if f"{LABEL}.base.name" not in labels:
            continue
        _, namespace, base = labels[f"{LABEL}.base.name"].split("/", 2)
        found = registry.manifest(namespace, *base.split(":"))
        assert found is not None
        assert found.digest == labels[f"{LABEL}.base.digest"]
        layers = [layer["digest"] for layer in json.loads(found.text)["layers"]]
        assert [layer["digest"] for layer in manifest["layers"]][: len(layers)] == layers


def test_an_image_is_there_to_the_last_byte(registry: Registry) -> None:
    """An index of two, whose layers can be unpacked."""
    repository = ("data", "scratch/uploads")
    tag = registry.tag(*repository, "import-4")
    assert tag is not None
    index = json.loads(tag.wire["manifest"])
    assert [child["platform"]["architecture"] for child in index["manifests"]] == ["amd64", "arm64"]
    for child in index["manifests"]:
        found = registry.manifest(*repository, child["digest"])
        assert found is not None
        (layer,) = json.loads(found.text)["layers"]
        content = registry.blob(*repository, layer["digest"])
        assert content is not None
        with tarfile.open(fileobj=io.BytesIO(content)) as files:
            assert files.getnames() == ["start"]


def changed(before: Records, after: Records) -> set[tuple[str, str, str]]:
    """What a comparison of two states of the registry tells: kind, repository, tag."""
    kept = before.keys() & after
    moved = {key for key in kept if after[key]["digest"] != before[key]["digest"]}
    kinds = {"pushed": after.keys() - before, "deleted": before.keys() - after, "moved": moved}
    return {(kind, name, tag) for kind, keys in kinds.items() for name, tag in keys}


def test_a_day_pushes_moves_and_deletes(records: Records) -> None:
    """Eight releases, their moving tags, twelve old tags; told as they are, all on that day."""
    registry = built_in_registry(TODAY)
    changes = advance_a_day(registry, TODAY)
    after = records_of(registry)
    told = [
        (change.kind, f"{change.namespace}/{change.repository}", change.tag) for change in changes
    ]
    assert sorted(told) == sorted(changed(records, after))
    kinds = Counter(change.kind for change in changes)
    assert (kinds["pushed"], kinds["deleted"]) == (8, 12)
    assert kinds["moved"] >= 5
    for change in changes:
        if change.kind != "deleted":
            record = after[f"{change.namespace}/{change.repository}", change.tag]
            assert moment(record["updated"]).date() == TODAY
            assert (record["created"] == record["updated"]) == (change.kind == "pushed")


def test_a_new_release_shares_all_but_its_own_layer_with_the_last(records: Records) -> None:
    """As a build on the same base does."""
    registry = built_in_registry(TODAY)
    for change in advance_a_day(registry, TODAY):
        if change.kind != "moved":
            continue
        key = f"{change.namespace}/{change.repository}", change.tag
        before, after = (
            json.loads(state[key]["manifest"]) for state in (records, records_of(registry))
        )
        assert before["config"] != after["config"]
        pairs = zip(before["layers"], after["layers"], strict=True)
        assert sum(old["digest"] != new["digest"] for old, new in pairs) == 1


def test_days_follow_each_other_deterministically() -> None:
    """A week in two registries gives the same registry."""
    first, second = built_in_registry(TODAY), built_in_registry(TODAY)
    for number in range(7):
        day = TODAY + timedelta(days=number)
        assert advance_a_day(first, day) == advance_a_day(second, day)
    assert records_of(first) == records_of(second)
