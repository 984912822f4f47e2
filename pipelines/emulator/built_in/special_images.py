"""What a registry holds besides plain images: indexes, charts, signatures, old and odd images.

Each function yields the pushes of one such repository, oldest first.
"""

import io
import tarfile
from collections.abc import Iterator, Mapping, Sequence

from pipelines.emulator.built_in.builds import Build, Push
from pipelines.emulator.built_in.configurations import (
    Calendar,
    Commit,
    configuration,
    labels_of,
)
from pipelines.emulator.built_in.image_lines import GB, KB, MB
from pipelines.emulator.built_in.manifests import (
    Blob,
    Child,
    Image,
    attestation,
    bill_of_materials,
    blob,
    blob_of,
    compact,
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
_EMPTY = blob_of(bytes.fromhex("1f8b080000096e8800ff621805a360148c5800080000ffff2eafb5ef00040000"))
_NOWHERE = {"architecture": "unknown", "os": "unknown"}
_UPLOADS = "data/scratch/uploads"
_HELLO = b"#!/bin/sh\necho Hello\n"


def special_pushes(
    debian: Sequence[Build], releases: Sequence[Push], calendar: Calendar
) -> Iterator[Push]:
    """Everything that is not a plain image.

    Args:
        debian: builds of the base that schema 1 images share.
        releases: pushes of a line whose newest are signed and whose oldest were copied.
        calendar: when commits were made.
    """
    yield from _gateway(calendar)
    yield from _kubectl(calendar)
    yield from _collector(calendar)
    yield from _runner(calendar)
    yield from _charts("platform/charts/service", releases=20)
    yield from _charts("platform/charts/cronjob", releases=8)
    yield from _signatures(releases[-12:])
    yield from _schema1_images(debian)
    yield from _windows(calendar)
    yield from _uploads(releases[:3], calendar)


def _gateway(calendar: Calendar) -> Iterator[Push]:
    """Docker lists; each child has its own tag, which makes it known."""
    name = "platform/gateway"
    for number in range(24):
        version, day = f"2.{number // 5}.{number % 5}", 1300 - 54 * number - _NOON
        commit = calendar.commit(f"{name} {version}", day)
        children = []
        for arch in _ARCHITECTURES:
            image = _native(name, version, commit, _linux(arch), 27 * MB)
            yield Push(day + _A_MINUTE, name, (f"{version}-{arch}",), image)
            children.append(Child(image, _linux(arch)))
        tags = (version, version.rpartition(".")[0], "latest")
        yield _index_push(day, name, tags, docker_list(children), children)


def _kubectl(calendar: Calendar) -> Iterator[Push]:
    """Docker lists; of the children only the one for amd64 has a tag."""
    name = "platform/tools/kubectl"
    sizes = (("amd64", None, 21 * MB), ("arm64", "v8", 19 * MB), ("arm", "v7", 20 * MB))
    for minor in range(21, 32):
        version, day = f"1.{minor}.4", 1400 - 120 * (minor - 21) - _NOON
        commit = calendar.commit(f"{name} {version}", day)
        children = []
        for arch, variant, size in sizes:
            platform = _linux(arch, variant)
            children.append(Child(_native(name, version, commit, platform, size), platform))
        yield Push(day + _A_MINUTE, name, (f"{version}-amd64",), children[0].image)
        yield _index_push(day, name, (version, "latest"), docker_list(children), children)


def _collector(calendar: Calendar) -> Iterator[Push]:
    """OCI indexes as buildkit makes them, each image with an attestation that has no tag."""
    name = "platform/observability/collector"
    for number in range(14):
        version, day = f"0.{90 + number}.0", 700 - 48 * number - _NOON
        commit = calendar.commit(f"{name} {version}", day)
        children, attestations = [], []
        for arch in _ARCHITECTURES:
            image = _native(name, version, commit, _linux(arch), 64 * MB, is_oci=True)
            yield Push(day + _A_MINUTE, name, (f"{version}-{arch}",), image)
            children.append(Child(image, _linux(arch)))
            attestations.append(_attestation_of(image, commit.stamp))
        children += attestations
        yield _index_push(day, name, (version, "latest"), oci_index(children), children)


def _runner(calendar: Calendar) -> Iterator[Push]:
    """An OCI index of OCI indexes: one for each distribution, of one image for each processor."""
    name = "platform/ci/runner"
    for number in range(5):
        version, day = f"3.{number}.0", 420 - 90 * number - _NOON
        commit = calendar.commit(f"{name} {version}", day)
        indexes = []
        for distribution, size in (("ubuntu", 210 * MB), ("alpine", 48 * MB)):
            flavour = f"{version}-{distribution}"
            children = []
            for arch in _ARCHITECTURES:
                image = _native(name, flavour, commit, _linux(arch), size, is_oci=True)
                yield Push(day + 2 * _A_MINUTE, name, (f"{flavour}-{arch}",), image)
                children.append(Child(image, _linux(arch)))
            push = _index_push(day + _A_MINUTE, name, (flavour,), oci_index(children), children)
            yield push
            indexes.append(Child(push.image, None))
        yield _index_push(day, name, (version, "stable"), oci_index(indexes), indexes)


def _index_push(
    day: float, name: str, tags: tuple[str, ...], index: str, children: Sequence[Child]
) -> Push:
    """Push an index with all that it names."""
    untagged = tuple(child.image for child in children)
    return Push(day, name, tags, Image(index), untagged=untagged)


def _charts(name: str, *, releases: int) -> Iterator[Push]:
    for number in range(releases):
        version, day = f"0.{number // 4}.{number % 4}", 900 - 44 * number - _NOON
        chart = blob(f"chart {name} {version}", 9 * KB + 131 * number)
        about = {"apiVersion": "v2", "name": name.rpartition("/")[2], "version": version}
        yield Push(day, name, (version,), helm_chart(blob_of(compact(about).encode()), chart))


def _signatures(releases: Sequence[Push]) -> Iterator[Push]:
    """A signature and a bill of materials for each release, tagged by its digest."""
    for release in releases:
        digest = digest_of(release.image.manifest)
        tag, day = digest.replace(":", "-"), release.days_ago - _A_MINUTE
        payload = blob(f"payload {digest}", 246)
        config = configuration("0001-01-01T00:00:00Z", [payload], platform=_NOWHERE)
        yield Push(day, release.name, (f"{tag}.sig",), cosign_signature(config, payload))
        document = blob(f"spdx {digest}", 380 * KB)
        materials = bill_of_materials(release.image.manifest, document)
        yield Push(day, release.name, (f"{tag}.sbom",), materials)


def _schema1_images(debian: Sequence[Build]) -> Iterator[Push]:
    """Schema 1 images from the first year, with and without a signature in the manifest."""
    for number in range(9):
        name, version = "platform/legacy/ldap-sync", f"0.{number + 1}"
        image = schema1(name, version, _schema1_layers(debian[number // 3], name, version))
        signed_image = image._replace(manifest=signed(image.manifest))
        day = 1455 - 30 * number - _NOON
        yield Push(day, name, (version, "latest"), signed_image, digest_of(image.manifest))
    for number in range(6):
        name, version = "shop/legacy/erp-bridge", f"2016.{number + 1}"
        layers = _schema1_layers(debian[number // 3], name, version)
        yield Push(1440 - 40 * number - _NOON, name, (version,), schema1(name, version, layers))


def _schema1_layers(base: Build, name: str, version: str) -> list[Blob]:
    return [*base.layers, _EMPTY, blob(f"layer {name} {version}", 18 * MB), _EMPTY, _EMPTY]


def _windows(calendar: Calendar) -> Iterator[Push]:
    """Images whose base is stored by Microsoft only."""
    name = "platform/windows/build-agent"
    for number in range(8):
        day = 800 - 95 * number - _NOON
        layers = [
            blob("servercore ltsc2022", round(1.7 * GB), is_foreign=True),
            blob(f"servercore update {number // 2}", 640 * MB, is_foreign=True),
            blob(f"build tools {number // 3}", 310 * MB),
            blob(f"agent {number}", 42 * MB + 7 * KB * number),
        ]
        commit = calendar.commit(f"{name} {number}", day)
        config = configuration(
            commit.stamp,
            layers,
            platform={"architecture": "amd64", "os": "windows", "os.version": "10.0.20348.2113"},
            labels=labels_of(name, commit),
        )
        image = docker_image(config, layers)
        yield Push(day, name, (f"ltsc2022-{number + 1}", "ltsc2022"), image)


def _uploads(copied: Sequence[Push], calendar: Calendar) -> Iterator[Push]:
    """Copies of another repository's images, and an image that is stored to the last byte.

    Of two copies the records lack the manifest, or half of it; the registry has it whole.
    """
    whole, cut, empty = (push.image for push in copied)
    yield Push(330 - _NOON, _UPLOADS, ("import-1",), whole)
    for number, image, text in ((2, cut, cut.manifest[:300]), (3, empty, "")):
        day, digest = 331 - number - _NOON, digest_of(image.manifest)
        yield Push(day, _UPLOADS, (f"import-{number}",), Image(text), digest, (image,))
    day = 327 - _NOON
    children = [_hello(arch, calendar.stamp(day)) for arch in _ARCHITECTURES]
    yield _index_push(day, _UPLOADS, ("import-4",), oci_index(children), children)


def _hello(architecture: str, created: str) -> Child:
    """A real image: one script in one plain archive."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.USTAR_FORMAT) as files:
        script = tarfile.TarInfo("start")
        script.mode, script.size = 0o755, len(_HELLO)
        files.addfile(script, io.BytesIO(_HELLO))
    layer, platform = blob_of(archive.getvalue()), _linux(architecture)
    step = {"created": created, "created_by": "COPY start / # buildkit"}
    config = configuration(created, [layer], platform=platform, history=[step])
    return Child(oci_image(config, [layer]), platform)


def _native(
    name: str,
    version: str,
    commit: Commit,
    platform: Mapping[str, str],
    size: int,
    *,
    is_oci: bool = False,
) -> Image:
    """A compiled program on a small base, one for each processor."""
    arch = platform["architecture"]
    base = blob(f"static base {arch}", 2_380 * KB + len(arch))
    program = blob(f"program {name} {version} {arch}", size + 101 * KB * len(version))
    steps = [{"created": commit.stamp, "created_by": f"COPY {part} /"} for part in ("base", arch)]
    config = configuration(
        commit.stamp,
        [base, program],
        platform=platform,
        labels=labels_of(name, commit),
        history=steps,
    )
    return (oci_image if is_oci else docker_image)(config, [base, program])


def _attestation_of(image: Image, created: str) -> Child:
    digest = digest_of(image.manifest)
    statement = blob(f"provenance {digest}", 24 * KB)
    annotations = {
        "vnd.docker.reference.digest": digest,
        "vnd.docker.reference.type": "attestation-manifest",
    }
    config = configuration(created, [statement], platform=_NOWHERE)
    return Child(attestation(config, statement), _NOWHERE, annotations)


def _linux(architecture: str, variant: str | None = None) -> dict[str, str]:
    platform = {"architecture": architecture, "os": "linux"}
    return platform | ({"variant": variant} if variant else {})
