"""Rules for other tools."""

import json

import pytest

from pipelines.deciding.as_code import as_json, as_terraform
from pipelines.deciding.rules import Rule, Selector
from pipelines.errors import RulesError

RULES = [
    Rule("team/*", "tag_rule", 10, (Selector("regexp", r"^v\d${x}%{y}"), Selector("label", 'a"'))),
    Rule("*", "date_rule", 30),
]
REPOSITORIES = ["team/deep/er", "other/app"]


def test_the_requests_are_those_of_the_api() -> None:
    """Numbers are texts, slashes of a repository are dollars."""
    selectors = [
        {"kind": "regexp", "pattern": r"^v\d${x}%{y}"},
        {"kind": "label", "pattern": 'a"'},
    ]
    assert json.loads(as_json(RULES, REPOSITORIES)) == [
        {
            "method": "POST",
            "path": "/v2/manage/namespaces/other/repos/app/retentions",
            "body": {
                "algorithm": "or",
                "rules": [{"template": "date_rule", "params": {"days": "30"}, "tag_selectors": []}],
            },
        },
        {
            "method": "POST",
            "path": "/v2/manage/namespaces/team/repos/deep$er/retentions",
            "body": {
                "algorithm": "or",
                "rules": [
                    {"template": "tag_rule", "params": {"num": "10"}, "tag_selectors": selectors}
                ],
            },
        },
    ]


def test_terraform_has_a_resource_for_each_repository() -> None:
    """No text of it is one of HCL's templates."""
    assert (
        as_terraform(RULES, REPOSITORIES)
        == r"""resource "huaweicloud_swr_image_retention_policy" "other_app_a54acd16" {
  organization = "other"
  repository   = "app"
  type         = "date_rule"
  number       = 30
}

resource "huaweicloud_swr_image_retention_policy" "team_deep_er_c9bfe3eb" {
  organization = "team"
  repository   = "deep/er"
  type         = "tag_rule"
  number       = 10

  tag_selectors {
    kind    = "regexp"
    pattern = "^v\\d$${x}%%{y}"
  }

  tag_selectors {
    kind    = "label"
    pattern = "a\""
  }
}
"""
    )


@pytest.mark.parametrize("write", [as_json, as_terraform])
def test_a_rule_for_no_repository_is_an_error(write: object) -> None:
    """As it is where it is tried."""
    assert callable(write)
    with pytest.raises(RulesError):
        write([Rule("x/*", "tag_rule", 1)], REPOSITORIES)
