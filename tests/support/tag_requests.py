"""Tells which repository a request to the emulator asks for."""

from pipelines.emulator.messages import Request


def repository_of(request: Request) -> tuple[str, str] | None:
    """Namespace and repository, if it is tags that are asked for."""
    match request.segments:
        case (*_, "namespaces", namespace, "repos", name, "tags"):
            return namespace, name.replace("$", "/")
    return None
