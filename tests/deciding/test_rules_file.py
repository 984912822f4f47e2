"""Files of rules: what is taken, and for everything else an error that names the line."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.deciding.rules import Rule, Selector
from pipelines.deciding.rules_file import read_rules
from pipelines.errors import RulesError

GOOD = """\
# the team's
- repositories: team/*
  template: tag_rule
  params: {num: "10"}
  tag_selectors:
    - {kind: regexp, pattern: ^v2.*}
    - kind: label
      pattern: 1.0
- repositories: "*"
  template: date_rule
  params:
    days: 365
"""


def test_rules_are_read_in_their_order() -> None:
    """Numbers may be texts, as SWR has them; a label is what is written."""
    assert read_rules(GOOD, "R.yaml") == (
        Rule(
            "team/*",
            "tag_rule",
            10,
            (Selector("regexp", "^v2.*"), Selector("label", "1.0")),
            "R.yaml, line 2",
        ),
        Rule("*", "date_rule", 365, (), "R.yaml, line 9"),
    )


def test_rules_may_have_a_name() -> None:
    """A mapping whose `rules` they are."""
    indented = GOOD.replace("\n", "\n  ")
    named = read_rules(f"rules:\n  {indented}", "R.yaml")
    assert [rule.repositories for rule in named] == ["team/*", "*"]


def test_merged_and_repeated_parts_are_yaml_too() -> None:
    """An anchor stands for what it names."""
    text = """\
- {repositories: a/*, template: tag_rule, params: &p {num: 3}}
- {repositories: b/*, template: tag_rule, params: *p}
"""
    assert [rule.keeps for rule in read_rules(text, "R.yaml")] == [3, 3]


@pytest.mark.parametrize(
    ("old", "new", "line", "problem"),
    [
        ("tag_rule", "tags_rule", 3, "template is tag_rule or date_rule, not tags_rule."),
        ('"10"', "0", 4, "num is a whole number from 1 to 1000, not 0."),
        ('"10"', "1001", 4, "num is a whole number from 1 to 1000, not 1001."),
        ('"10"', "ten", 4, "num is a whole number from 1 to 1000, not ten."),
        ('"10"', "1.5", 4, "num is a whole number from 1 to 1000, not 1.5."),
        ('"10"', "9" * 5000, 4, f"num is a whole number from 1 to 1000, not {'9' * 5000}."),
        ('"10"', "[1]", 4, "num is a text."),
        ("365", "366", 12, "days is a whole number from 1 to 365, not 366."),
        ("num", "days", 4, "days is none of num."),
        ("^v2.*", "'(v2'", 6, "(v2 is no regular expression that can be used: missing ): (v2"),
        ("kind: label", "kind: glob", 7, "kind is label or regexp, not glob."),
        ("pattern: 1.0", "pattern:", 8, "pattern is a text."),
        ("  template: date_rule\n", "", 9, "template is missing."),
        ("  template: date_rule", "  repositories: x", 10, "repositories comes twice."),
        ("params:\n    days: 365", "param:\n    days: 365", 11, "param is none of repositories,"),
        ("tag_selectors:\n    - {", "tag_selectors:\n      {", 6, "tag_selectors is a list"),
    ],
)
def test_an_error_names_the_line(old: str, new: str, line: int, problem: str) -> None:
    """And what may stand there."""
    text = GOOD.replace(old, new)
    if "tag_selectors:\n      {" in text:
        text = text.replace("    - kind: label\n      pattern: 1.0\n", "")
    with pytest.raises(RulesError) as raised:
        read_rules(text, "R.yaml")
    assert str(raised.value).startswith(f"R.yaml, line {line}: {problem}")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "R.yaml: there are no rules in it."),
        ("[]", "R.yaml: there are no rules in it."),
        ("- a\n- }", "R.yaml, line 2: this is no YAML: "),
        ("- a", "R.yaml, line 1: expected a mapping with repositories, template"),
        ("a text", "R.yaml, line 1: rules is a list: each begins with a dash."),
        ("x: 1", "R.yaml, line 1: x is none of rules."),
        ("[" * 5000, "R.yaml: this is no YAML that can be read."),
        ("- \x00", "R.yaml: this is no YAML that can be read."),
        ("a\n---\nb", "R.yaml, line 2: this is no YAML: "),
    ],
)
def test_what_is_no_file_of_rules_is_an_error(text: str, problem: str) -> None:
    """Whatever it is."""
    with pytest.raises(RulesError) as raised:
        read_rules(text, "R.yaml")
    assert str(raised.value).startswith(problem)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.text(alphabet="-{}[]:,&*! \n#'\"|>abc\\t10", max_size=60))
def test_no_text_does_anything_but_rules_or_an_error(text: str) -> None:
    """An error of ours, or at least one."""
    with suppress(RulesError):
        assert read_rules(text, "R.yaml")
