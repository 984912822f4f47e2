"""Reads a file of retention rules: YAML in SWR's words, a list of rules.

Values are taken as they are written (`1.0` is a name and no number). Every error names the line.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, get_args

import pyarrow as pa
import pyarrow.compute as pc
import yaml

from pipelines.deciding.rules import LIMITS, Rule, Selector, SelectorKind, Template
from pipelines.errors import RulesError

_KEYS = ("repositories", "template", "params", "tag_selectors")
_OPTIONAL = ("tag_selectors",)
_NUMBER = re.compile(r"\d{1,9}")
_Fields = Mapping[str, yaml.Node]


def read_rules(text: str, name: str) -> tuple[Rule, ...]:
    """Read the rules in the text of a file.

    Args:
        text: YAML; a list of rules, or a mapping whose `rules` is that list.
        name: of the file, for errors.

    Raises:
        RulesError: it is no YAML, or no rules that SWR would take.
    """
    return _File(name).rules(text)


class _File:
    """A file that is being read; errors name it and the line."""

    def __init__(self, name: str) -> None:
        self._name = name

    def rules(self, text: str) -> tuple[Rule, ...]:
        try:
            top = yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line = mark.line + 1 if mark else 1
            raise RulesError(
                f"{self._name}, line {line}: this is no YAML: {error.problem}."
            ) from error
        except (yaml.YAMLError, RecursionError) as error:
            raise RulesError(f"{self._name}: this is no YAML that can be read.") from error
        if isinstance(top, yaml.MappingNode):
            top = self._fields(top, ("rules",), ())["rules"]
        rules = tuple(self._rule(node) for node in self._list(top, "rules"))
        if not rules:
            raise RulesError(f"{self._name}: there are no rules in it.")
        return rules

    def _rule(self, node: yaml.Node) -> Rule:
        fields = self._fields(node, _KEYS, _OPTIONAL)
        template = self._one_of(fields["template"], get_args(Template), "template")
        selectors = fields.get("tag_selectors")
        listed = self._list(selectors, "tag_selectors") if selectors else []
        return Rule(
            self._text(fields["repositories"], "repositories"),
            template,
            self._keeps(template, fields["params"]),
            tuple(map(self._selector, listed)),
            self._place(node),
        )

    def _keeps(self, template: Template, params: yaml.Node) -> int:
        name, most = LIMITS[template]
        node = self._fields(params, (name,), ())[name]
        text = self._text(node, name)
        if not _NUMBER.fullmatch(text) or not 1 <= int(text) <= most:
            raise self._error(node, f"{name} is a whole number from 1 to {most}, not {text}.")
        return int(text)

    def _selector(self, node: yaml.Node) -> Selector:
        fields = self._fields(node, ("kind", "pattern"), ())
        kind = self._one_of(fields["kind"], get_args(SelectorKind), "kind")
        pattern = self._text(fields["pattern"], "pattern")
        if kind == "regexp" and (problem := wrong_pattern(pattern)):
            said = f"{pattern} is no regular expression that can be used: {problem}"
            raise self._error(fields["pattern"], said)
        return Selector(kind, pattern)

    def _fields(self, node: yaml.Node, known: Sequence[str], optional: Iterable[str]) -> _Fields:
        """The values of a mapping by their keys, which have to be known ones."""
        if not isinstance(node, yaml.MappingNode):
            raise self._error(node, f"expected a mapping with {', '.join(known)}.")
        fields: dict[str, yaml.Node] = {}
        for key, value in node.value:
            name = self._text(key, "a key")
            if name not in known or name in fields:
                why = "comes twice" if name in fields else f"is none of {', '.join(known)}"
                raise self._error(key, f"{name} {why}.")
            fields[name] = value
        for name in known:
            if name not in fields and name not in optional:
                raise self._error(node, f"{name} is missing.")
        return fields

    def _list(self, node: yaml.Node | None, name: str) -> Sequence[yaml.Node]:
        if isinstance(node, yaml.SequenceNode):
            return list(node.value)
        if node is None:
            return []
        raise self._error(node, f"{name} is a list: each begins with a dash.")

    def _text(self, node: yaml.Node, name: str) -> str:
        if isinstance(node, yaml.ScalarNode) and node.value:
            return str(node.value)
        raise self._error(node, f"{name} is a text.")

    def _one_of(self, node: yaml.Node, known: Sequence[str], name: str) -> Any:
        text = self._text(node, name)
        if text not in known:
            raise self._error(node, f"{name} is {' or '.join(known)}, not {text}.")
        return text

    def _place(self, node: yaml.Node) -> str:
        return f"{self._name}, line {node.start_mark.line + 1}"

    def _error(self, node: yaml.Node, problem: str) -> RulesError:
        return RulesError(f"{self._place(node)}: {problem}")


def wrong_pattern(pattern: str) -> str | None:
    """What is wrong with a regular expression in the syntax of RE2; None if nothing is."""
    try:
        pc.match_substring_regex(pa.array([""]), pattern=pattern)
    except pa.ArrowInvalid as error:
        return str(error).partition("regular expression: ")[2] or str(error)
    return None
