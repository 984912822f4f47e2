"""What a run is asked: its identifier, its mode and its scope. Decides nothing else."""

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase

Name = tuple[str, str]

WILDCARD = re.compile(r"[*?\[]")


@dataclass(frozen=True)
class Scope:
    """What a run is asked to read: globs of names, `!` excludes; empty means everything visible.

    Repository globs are matched against `namespace/repository`, and `*` crosses a slash.
    """

    namespaces: tuple[str, ...] = ()
    repositories: tuple[str, ...] = ()

    def has_namespace(self, namespace: str) -> bool:
        """Whether the namespace may hold repositories of this scope."""
        wanted = [glob for glob in self.repositories if not glob.startswith("!")]
        return _matches(namespace, self.namespaces) and (
            not wanted or any(_may_reach(glob, f"{namespace}/") for glob in wanted)
        )

    def has_repository(self, namespace: str, repository: str) -> bool:
        """Whether the repository is to be read."""
        return self.has_namespace(namespace) and _matches(
            f"{namespace}/{repository}", self.repositories
        )

    def as_dict(self) -> dict[str, tuple[str, ...]]:
        """The scope as it is logged and stored."""
        return {"namespaces": self.namespaces, "repositories": self.repositories}


@dataclass(frozen=True)
class RunRequest:
    """What a run is asked to do."""

    run_id: str
    full: bool
    scope: Scope

    @property
    def mode(self) -> str:
        """The mode as it is logged and stored."""
        return "full" if self.full else "incremental"


def _matches(name: str, globs: tuple[str, ...]) -> bool:
    wanted = [glob for glob in globs if not glob.startswith("!")]
    unwanted = [glob[1:] for glob in globs if glob.startswith("!")]
    return (not wanted or any(fnmatchcase(name, glob) for glob in wanted)) and not any(
        fnmatchcase(name, glob) for glob in unwanted
    )


def _may_reach(glob: str, beginning: str) -> bool:
    """Whether a glob can match a name with this beginning, judged by what it says literally."""
    literal = WILDCARD.split(glob, maxsplit=1)[0]
    return literal.startswith(beginning) or beginning.startswith(literal)
