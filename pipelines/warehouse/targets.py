"""What a person means by NS/REPO, NS/REPO:TAG or NS/REPO@DIGEST in the published warehouse."""

from collections.abc import Iterator
from typing import NamedTuple

from duckdb import DuckDBPyConnection

from pipelines.errors import WarehouseError
from pipelines.warehouse.build_plan import statements_in

_REPOSITORIES = "select namespace || '/' || repository as name from reports.repository_sizes"
_TAGS = (
    "select tag as name from main.tags where namespace = $namespace and repository = $repository"
)
_NEAREST = 3
# Less alike than that are two names by chance.
_ALIKE = 0.65
_FEWEST_DIGITS = 6


class Target(NamedTuple):
    """A live repository, one of its tags with its digest, or a manifest that its tags reach."""

    namespace: str
    repository: str
    tag: str | None = None
    digest: str | None = None

    def __str__(self) -> str:
        """The name as it is asked for."""
        end = f":{self.tag}" if self.tag else f"@{self.digest}" if self.digest else ""
        return f"{self.namespace}/{self.repository}{end}"


def find_target(con: DuckDBPyConnection, text: str) -> Target:
    """Find what a name means.

    Raises:
        WarehouseError: there is nothing of that name; names the nearest.
    """
    for name, sign, end in _readings(text):
        namespace, _, repository = name.partition("/")
        place = {"namespace": namespace, "repository": repository}
        if not con.execute(f"from ({_REPOSITORIES}) where name = ?", [name]).fetchall():
            continue
        if not sign:
            return Target(**place)
        return _tag(con, place, end) if sign == ":" else _manifest(con, place, end)
    name = next(reversed([*_readings(text)]))[0]
    raise WarehouseError(
        f"The warehouse holds no repository {name}"
        + _meant(con, _REPOSITORIES, {}, name)
        + ": give NS/REPO, NS/REPO:TAG or NS/REPO@DIGEST."
    )


def _readings(text: str) -> Iterator[tuple[str, str, str]]:
    """Each way to read it as a repository, a sign and what is after that."""
    yield text, "", ""
    for sign in "@:":
        for place in reversed([number for number, letter in enumerate(text) if letter == sign]):
            yield text[:place], sign, text[place + 1 :]


def _tag(con: DuckDBPyConnection, place: dict[str, str], tag: str) -> Target:
    sql = "select manifest_digest from main.tags where (namespace, repository, tag) = (?, ?, ?)"
    found = con.execute(sql, [*place.values(), tag]).fetchall()
    if not found:
        raise WarehouseError(
            f"{'/'.join(place.values())} has no live tag {tag}{_meant(con, _TAGS, place, tag)}."
        )
    return Target(**place, tag=tag, digest=found[0][0])


def _manifest(con: DuckDBPyConnection, place: dict[str, str], beginning: str) -> Target:
    name = "/".join(place.values())
    if len(beginning.removeprefix("sha256:")) < _FEWEST_DIGITS:
        raise WarehouseError(f"Give at least {_FEWEST_DIGITS} digits of a digest after {name}@.")
    asked = {**place, "beginning": beginning}
    found = con.execute(statements_in("questions")["repository_manifests"], asked).fetchall()
    if not found:
        raise WarehouseError(f"No live tag of {name} reaches a manifest {beginning}.")
    if len(found) > 1:
        raise WarehouseError(
            f"{beginning} begins several digests of {name}: {found[0][0]}, {found[1][0]}."
        )
    return Target(**place, digest=found[0][0])


def _meant(con: DuckDBPyConnection, names: str, given: dict[str, str], name: str) -> str:
    """Name those that are nearest."""
    near = con.execute(
        f"select name from ({names}) where jaro_winkler_similarity(name, $name) >= {_ALIKE}"  # noqa: S608 - names of our own
        f" order by jaro_winkler_similarity(name, $name) desc, name limit {_NEAREST}",
        {**given, "name": name},
    ).fetchall()
    return f"; the nearest are {', '.join(found for (found,) in near)}" if near else ""
