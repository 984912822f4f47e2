"""What a registry holds besides plain images: indexes, charts, signatures, old and broken images.

Each function yields the pushes of one such repository, oldest first.
"""

import json
from collections.abc import Iterator, Sequence

from pipelines.emulator.built_in.builds import Build, Push
from pipelines.emulator.built_in.image_lines import GB, KB, MB
from pipelines.emulator.built_in.manifests import (
    Blob,
    Child,
    attestation,
    bill_of_materials,
    blob,
    cosign_signature,
    digest_of,
    docker_image,
    docker_list,
    helm_chart,
    oci_image,
    oci_index,
    schema1,
    signed,
)

_NOON = 0.5
_A_MINUTE = 1 / 1440
_ARCHITECTURES = ("amd64", "arm64")
# The empty layer that Docker wrote for every instruction without files.
_EMPTY = Blob("sha256:a3ed95caeb02ffe68cdd9fd84406680ae93d633cb16422d00e8a7c22955b46d4", 32)


def special_pushes(debian: Sequence[Build], releases: Sequence[Push]) -> Iterator[Push]:
    """Everything that is not a plain image.

    Args:
        debian: builds of the base that schema 1 images share.
        releases: pushes of a line whose newest are signed and whose oldest was copied.
    """
    yield from _gateway()
    yield from _kubectl()
    yield from _collector()
    yield from _runner()
    yield from _charts("platform/charts/service", releases=20)
    yield from _charts("platform/charts/cronjob", releases=8)
    yield from _signatures(releases[-12:])
    yield from _schema1_images(debian)
    yield from _windows()
    yield from _broken_uploads(releases[0].manifest)


def _gateway() -> Iterator[Push]:
    """Docker lists; each child has its own tag, which makes it known."""
    name = "platform/gateway"
    for number in range(24):
        version, day = f"2.{number // 5}.{number % 5}", 1300 - 54 * number - _NOON
        images = [_native(name, version, arch, 27 * MB) for arch in _ARCHITECTURES]
        for arch, image in zip(_ARCHITECTURES, images, strict=True):
            yield Push(day + _A_MINUTE, name, (f"{version}-{arch}",), image)
        children = [
            Child(image, _linux(arch)) for arch, image in zip(_ARCHITECTURES, images, strict=True)
        ]
        tags = (version, version.rpartition(".")[0], "latest")
        yield Push(day, name, tags, docker_list(children))


def _kubectl() -> Iterator[Push]:
    """Docker lists; of the children only the one for amd64 has a tag, the others are unknown."""
    name = "platform/tools/kubectl"
    for minor in range(21, 32):
        version, day = f"1.{minor}.4", 1400 - 120 * (minor - 21) - _NOON
        native = _native(name, version, "amd64", 21 * MB)
        children = [
            Child(native, _linux("amd64")),
            Child(_native(name, version, "arm64", 19 * MB), _linux("arm64", "v8")),
            Child(_native(name, version, "arm", 20 * MB), _linux("arm", "v7")),
        ]
        yield Push(day + _A_MINUTE, name, (f"{version}-amd64",), native)
        yield Push(day, name, (version, "latest"), docker_list(children))


def _collector() -> Iterator[Push]:
    """OCI indexes as buildkit makes them, each image with an attestation that has no tag."""
    name = "platform/observability/collector"
    for number in range(14):
        version, day = f"0.{90 + number}.0", 700 - 48 * number - _NOON
        children, attestations = [], []
        for arch in _ARCHITECTURES:
            image = _native(name, version, arch, 64 * MB, is_oci=True)
            yield Push(day + _A_MINUTE, name, (f"{version}-{arch}",), image)
            children.append(Child(image, _linux(arch)))
            attestations.append(_attestation_of(image))
        yield Push(day, name, (version, "latest"), oci_index([*children, *attestations]))


def _runner() -> Iterator[Push]:
    """An OCI index of OCI indexes: one for each distribution, of one image for each processor."""
    name = "platform/ci/runner"
    for number in range(5):
        version, day = f"3.{number}.0", 420 - 90 * number - _NOON
        indexes = []
        for distribution, size in (("ubuntu", 210 * MB), ("alpine", 48 * MB)):
            flavour = f"{version}-{distribution}"
            children = []
            for arch in _ARCHITECTURES:
                image = _native(name, flavour, arch, size, is_oci=True)
                yield Push(day + 2 * _A_MINUTE, name, (f"{flavour}-{arch}",), image)
                children.append(Child(image, _linux(arch)))
            indexes.append(oci_index(children))
            yield Push(day + _A_MINUTE, name, (flavour,), indexes[-1])
        whole = oci_index([Child(index, None) for index in indexes])
        yield Push(day, name, (version, "stable"), whole)


def _charts(name: str, *, releases: int) -> Iterator[Push]:
    for number in range(releases):
        version, day = f"0.{number // 4}.{number % 4}", 900 - 44 * number - _NOON
        chart = blob(f"chart {name} {version}", 9 * KB + 131 * number)
        config = blob(f"Chart.yaml {chart.digest}", 412)
        yield Push(day, name, (version,), helm_chart(config, chart))


def _signatures(releases: Sequence[Push]) -> Iterator[Push]:
    """A signature and a bill of materials for each release, tagged by its digest."""
    for release in releases:
        digest = digest_of(release.manifest)
        tag, day = digest.replace(":", "-"), release.days_ago - _A_MINUTE
        payload, config = blob(f"payload {digest}", 246), blob(f"no config {digest}", 233)
        yield Push(day, release.name, (f"{tag}.sig",), cosign_signature(config, payload))
        document = blob(f"spdx {digest}", 380 * KB)
        materials = bill_of_materials(release.manifest, document)
        yield Push(day, release.name, (f"{tag}.sbom",), materials)


def _schema1_images(debian: Sequence[Build]) -> Iterator[Push]:
    """Schema 1 images from the first year, with and without a signature in the manifest."""
    for number in range(9):
        name, version = "platform/legacy/ldap-sync", f"0.{number + 1}"
        payload = schema1(name, version, _schema1_layers(debian[number // 3], name, version))
        digest = digest_of(payload)
        day = 1455 - 30 * number - _NOON
        yield Push(day, name, (version, "latest"), signed(payload), digest)
    for number in range(6):
        name, version = "shop/legacy/erp-bridge", f"2016.{number + 1}"
        layers = _schema1_layers(debian[number // 3], name, version)
        yield Push(1440 - 40 * number - _NOON, name, (version,), schema1(name, version, layers))


def _schema1_layers(base: Build, name: str, version: str) -> list[Blob]:
    return [*base.layers, _EMPTY, blob(f"layer {name} {version}", 18 * MB), _EMPTY, _EMPTY]


def _windows() -> Iterator[Push]:
    """Images whose base is stored by Microsoft only."""
    name = "platform/windows/build-agent"
    for number in range(8):
        base = blob("servercore ltsc2022", round(1.7 * GB), is_foreign=True)
        update = blob(f"servercore update {number // 2}", 640 * MB, is_foreign=True)
        tools = blob(f"build tools {number // 3}", 310 * MB)
        agent = blob(f"agent {number}", 42 * MB + 7 * KB * number)
        config = blob(f"config {name} {number}", 3_120)
        image = docker_image(config, [base, update, tools, agent])
        day = 800 - 95 * number - _NOON
        yield Push(day, name, (f"ltsc2022-{number + 1}", "ltsc2022"), image)


def _broken_uploads(copied: str) -> Iterator[Push]:
    """A copy of another repository's image, and manifests that are broken."""
    without_digest, negative = json.loads(copied), json.loads(copied)
    del without_digest["layers"][0]["digest"]
    negative["layers"][0]["size"] = -1
    texts = {
        "import-1": copied,
        "import-2": copied[: len(copied) // 2],
        "import-3": "",
        "import-4": json.dumps(without_digest),
        "import-5": json.dumps(negative),
    }
    for number, (tag, text) in enumerate(texts.items()):
        yield Push(330 - number - _NOON, "data/scratch/uploads", (tag,), text)


def _native(name: str, version: str, arch: str, size: int, *, is_oci: bool = False) -> str:
    """A compiled program on a small base, one for each processor."""
    base = blob(f"static base {arch}", 2_380 * KB + len(arch))
    program = blob(f"program {name} {version} {arch}", size + 101 * KB * len(version))
    config = blob(f"config {name} {version} {arch}", 1_160)
    return (oci_image if is_oci else docker_image)(config, [base, program])


def _attestation_of(image: str) -> Child:
    digest = digest_of(image)
    statement = blob(f"provenance {digest}", 24 * KB)
    annotations = {
        "vnd.docker.reference.digest": digest,
        "vnd.docker.reference.type": "attestation-manifest",
    }
    unknown = {"architecture": "unknown", "os": "unknown"}
    return Child(attestation(blob(f"config {digest}", 167), statement), unknown, annotations)


def _linux(architecture: str, variant: str | None = None) -> dict[str, str]:
    platform = {"architecture": architecture, "os": "linux"}
    return platform | ({"variant": variant} if variant else {})
