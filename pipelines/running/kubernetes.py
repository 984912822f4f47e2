"""The JSON of `kubectl get … -o json`: which images its objects name, run or hold.

Only the fields written down here are decoded. An object is told by what it has, not by its kind:
`spec.containers` is a pod's, `spec.template` a controller's, `spec.jobTemplate` a cron job's,
`status.images` a node's.
"""

from collections.abc import Iterator
from itertools import chain
from typing import NamedTuple

import msgspec

from pipelines.errors import SnapshotError

_ENDED = ("Succeeded", "Failed")
# What Docker calls an image that has no name, or none any more.
_NO_NAME = "<none>"


class Found(NamedTuple):
    """An image in a file.

    Attributes:
        image: its reference; None where only the runtime's id is known.
        image_id: what the runtime says that it runs; None where nothing does yet.
        found_in: pod, ended_pod, volume, template, node or list.
        container_count: containers that run it, or volumes of it; 0 where it is only named or
            held, or has ended.
    """

    image: str | None
    image_id: str | None
    found_in: str
    container_count: int


class _Container(msgspec.Struct):
    name: str = ""
    image: str | None = None


class _ContainerStatus(msgspec.Struct):
    name: str = ""
    image_id: str | None = msgspec.field(name="imageID", default=None)


class _ImageSource(msgspec.Struct):
    reference: str | None = None


class _Volume(msgspec.Struct):
    image: _ImageSource | None = None


class _PodSpec(msgspec.Struct, rename="camel"):
    containers: list[_Container] | None = None
    init_containers: list[_Container] | None = None
    ephemeral_containers: list[_Container] | None = None
    volumes: list[_Volume] | None = None

    def of_containers(self) -> Iterator[_Container]:
        lists = (self.containers, self.init_containers, self.ephemeral_containers)
        return chain.from_iterable(some or () for some in lists)

    def of_volumes(self) -> Iterator[str]:
        for volume in self.volumes or ():
            if volume.image and volume.image.reference:
                yield volume.image.reference


class _Template(msgspec.Struct):
    spec: _PodSpec | None = None


class _JobSpec(msgspec.Struct):
    template: _Template | None = None


class _JobTemplate(msgspec.Struct):
    spec: _JobSpec | None = None


class _Spec(_PodSpec, rename="camel"):
    template: _Template | None = None
    job_template: _JobTemplate | None = None

    def of_templates(self) -> Iterator[_PodSpec]:
        job = self.job_template.spec if self.job_template else None
        for template in (self.template, job.template if job else None):
            if template and template.spec:
                yield template.spec


class _HeldImage(msgspec.Struct):
    names: list[str] | None = None


class _Status(msgspec.Struct, rename="camel"):
    phase: str | None = None
    container_statuses: list[_ContainerStatus] | None = None
    init_container_statuses: list[_ContainerStatus] | None = None
    ephemeral_container_statuses: list[_ContainerStatus] | None = None
    images: list[_HeldImage] | None = None

    def of_containers(self) -> Iterator[_ContainerStatus]:
        lists = (
            self.container_statuses,
            self.init_container_statuses,
            self.ephemeral_container_statuses,
        )
        return chain.from_iterable(some or () for some in lists)


class _Object(msgspec.Struct):
    kind: str | None = None
    spec: _Spec | None = None
    status: _Status | None = None


class _File(msgspec.Struct):
    kind: str | None = None
    # Decoded one by one: an odd one must not cost the others.
    items: list[msgspec.Raw] | None = None


_read_file = msgspec.json.Decoder(_File).decode
_read_object = msgspec.json.Decoder(_Object).decode
_ODD = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def images_in_json(data: bytes, name: str) -> Iterator[Found | str]:
    """Give the images of a file; of an object that cannot be read, where it stands.

    Args:
        data: the file: a List of kubectl, or one object.
        name: of the file, for messages.

    Raises:
        SnapshotError: it is no JSON, breaks off, or is none of kubectl's.
    """
    try:
        file = _read_file(data)
    except _ODD:
        raise SnapshotError(
            f"{name} is not the JSON of `kubectl get … -o json`, or breaks off: make it again."
        ) from None
    if file.items is None and not file.kind:
        raise SnapshotError(f"{name} holds no list and no object of Kubernetes.")
    for number, raw in enumerate([data] if file.items is None else file.items, start=1):
        try:
            found = _read_object(raw)
        except _ODD:
            yield f"{name}, object {number}"
        else:
            yield from _images_of(found)


def _images_of(found: _Object) -> Iterator[Found]:
    spec, status = found.spec or _Spec(), found.status or _Status()
    yield from _of_pod(spec, status)
    for template in spec.of_templates():
        named = chain((one.image for one in template.of_containers()), template.of_volumes())
        yield from (Found(image, None, "template", 0) for image in named if image)
    for held in status.images or ():
        names = (name for name in held.names or () if _NO_NAME not in name)
        yield from (Found(name, None, "node", 0) for name in names)


def _of_pod(spec: _Spec, status: _Status) -> Iterator[Found]:
    found_in, count = ("ended_pod", 0) if status.phase in _ENDED else ("pod", 1)
    ids = {one.name: one.image_id or None for one in status.of_containers()}
    for container in spec.of_containers():
        image, image_id = container.image or None, ids.get(container.name)
        if image or image_id:
            yield Found(image, image_id, found_in, count)
    yield from (Found(image, None, "volume", count) for image in spec.of_volumes())
