"""Rules as other tools want them: the body of SWR's API, and Terraform's resource.

SWR has one rule a repository, so each is written for every repository that it is for. Nothing is
sent anywhere.
"""

import hashlib
import json
import re
from collections.abc import Sequence
from typing import Any

import msgspec

from pipelines.deciding.rules import LIMITS, Rule, assign

# Names of SWR begin with a letter.
_NO_IDENTIFIER = re.compile(r"[^a-z0-9_-]+", re.IGNORECASE)


def as_json(rules: Sequence[Rule], repositories: Sequence[str]) -> str:
    """Requests that make the rules: method, path and body of each, an array of objects.

    Args:
        rules: in the order of their precedence.
        repositories: `namespace/repository` of all there are.

    Raises:
        RulesError: a rule is for none of them.
    """
    requests = [_request(rules[number], name) for name, number in _ruled(rules, repositories)]
    return msgspec.json.format(msgspec.json.encode(requests)).decode()


def as_terraform(rules: Sequence[Rule], repositories: Sequence[str]) -> str:
    """A resource of Huawei Cloud's Terraform provider for each repository with a rule.

    Raises:
        RulesError: a rule is for none of them.
    """
    return "\n".join(_resource(rules[number], name) for name, number in _ruled(rules, repositories))


def _ruled(rules: Sequence[Rule], repositories: Sequence[str]) -> list[tuple[str, int]]:
    numbers = zip(sorted(repositories), assign(rules, sorted(repositories)), strict=True)
    return [(name, number) for name, number in numbers if number is not None]


def _request(rule: Rule, name: str) -> dict[str, Any]:
    namespace, _, repository = name.partition("/")
    path = f"/v2/manage/namespaces/{namespace}/repos/{repository.replace('/', '$')}/retentions"
    return {"method": "POST", "path": path, "body": {"algorithm": "or", "rules": [_body(rule)]}}


def _body(rule: Rule) -> dict[str, Any]:
    parameter, _ = LIMITS[rule.template]
    selectors = [{"kind": each.kind, "pattern": each.pattern} for each in rule.selectors]
    params = {parameter: str(rule.keeps)}
    return {"template": rule.template, "params": params, "tag_selectors": selectors}


def _resource(rule: Rule, name: str) -> str:
    namespace, _, repository = name.partition("/")
    selectors = "".join(
        f"\n  tag_selectors {{\n    kind    = {_quoted(each.kind)}\n"
        f"    pattern = {_quoted(each.pattern)}\n  }}\n"
        for each in rule.selectors
    )
    return (
        f'resource "huaweicloud_swr_image_retention_policy" "{_identifier(name)}" {{\n'
        f"  organization = {_quoted(namespace)}\n"
        f"  repository   = {_quoted(repository)}\n"
        f"  type         = {_quoted(rule.template)}\n"
        f"  number       = {rule.keeps}\n"
        f"{selectors}}}\n"
    )


def _identifier(name: str) -> str:
    """The same for a repository whatever others there are, and no other's."""
    short = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{_NO_IDENTIFIER.sub('_', name)}_{short}"


def _quoted(text: str) -> str:
    """A text of HCL, in which nothing is replaced."""
    escaped = json.dumps(text, ensure_ascii=False)
    return escaped.replace("${", "$${").replace("%{", "%%{")
