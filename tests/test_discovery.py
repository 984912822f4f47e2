"""A scope is globs of names; what is outside it is counted, never taken for gone."""

import pytest

from pipelines.discovery import Scope


@pytest.mark.parametrize(
    ("namespaces", "repositories", "name", "is_in"),
    [
        ((), (), ("team", "app"), True),
        (("team",), (), ("team", "app"), True),
        (("team",), (), ("team-b", "app"), False),
        (("team*",), (), ("team-b", "app"), True),
        (("team*", "!team-b"), (), ("team-b", "app"), False),
        (("!team-b",), (), ("team", "app"), True),
        (("!team-b",), (), ("team-b", "app"), False),
        ((), ("team/app",), ("team", "app"), True),
        ((), ("team/app",), ("team", "app2"), False),
        ((), ("team/*",), ("team", "deep/er/app"), True),
        ((), ("*/app",), ("team", "deep/er/app"), True),
        ((), ("*/app",), ("team", "apple"), False),
        ((), ("*er/app",), ("team", "deep/er/app"), True),
        ((), ("t?am/app",), ("team", "app"), True),
        ((), ("team*",), ("team2", "app"), True),
        ((), ("team*",), ("te", "am"), False),
        ((), ("!team/app",), ("team", "app"), False),
        ((), ("!team/app",), ("team", "other"), True),
        (("team",), ("*/app",), ("other", "app"), False),
        (("Team",), (), ("team", "app"), False),
    ],
)
def test_globs_choose_and_exclude(
    namespaces: tuple[str, ...], repositories: tuple[str, ...], name: tuple[str, str], is_in: bool
) -> None:
    """Exclusions win; a star crosses slashes; case matters."""
    assert Scope(namespaces, repositories).has_repository(*name) is is_in


def test_a_repository_named_outright_needs_its_namespace_only() -> None:
    """So that no other namespace has to be listed."""
    scope = Scope(repositories=("team/app", "!team/app/old"))
    assert [name for name in ("team", "team2", "other") if scope.has_namespace(name)] == ["team"]
