"""The pages for users name what exists: settings, checks, errors, schedules."""

import re

from checkout import ROOT
from pydantic_settings import BaseSettings

from assets.definitions import defs
from pipelines import errors, settings
from pipelines.warehouse.checks import all_checks

README = (ROOT / "README.md").read_text()
SETTINGS = (ROOT / "docs" / "settings.md").read_text()
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
NAMED = set(re.findall(r"`([^`\n]+)`", OPERATIONS))


def setting_names() -> set[str]:
    """Every environment variable that is read."""
    classes = [
        thing
        for thing in vars(settings).values()
        if isinstance(thing, type) and issubclass(thing, BaseSettings) and thing is not BaseSettings
    ]
    fields = [field for each in classes for field in each.model_fields.values()]
    return {str(field.validation_alias) for field in fields}


def test_every_setting_has_its_line_and_the_pages_name_no_other() -> None:
    """A setting nobody is told of does not exist; one that does not exist is not told of."""
    named = re.compile(r"\b(?:SWR|HUAWEICLOUD)_[A-Z_]+[A-Z]\b")
    assert set(re.findall(r"`([A-Z_]+)`", SETTINGS)) >= setting_names()
    assert set(named.findall(README + SETTINGS + OPERATIONS)) <= setting_names()


def test_every_check_told_of_exists_and_every_warning_is_told_of() -> None:
    """What may warn has a line that says what to do."""
    told = {name for text in NAMED for name in re.findall(r"\b[a-z_]+__[a-z_]+\b", text)}
    checks = {entry.name: entry for entry in all_checks()}
    assert told <= checks.keys()
    assert told >= {name for name, entry in checks.items() if not entry.is_blocking}


def test_every_error_told_of_exists() -> None:
    """By its class, as the runs' pages show it."""
    told = {text for text in NAMED if re.fullmatch(r"[A-Z][a-z]+[A-Z]\w+", text)}
    assert told
    assert all(issubclass(getattr(errors, name), errors.SwrWarehouseError) for name in told)


def test_every_schedule_and_sensor_told_of_exists() -> None:
    """By the name it has on the page of automations."""
    told = re.findall(r"\b(?:schedule|sensor) `(\w+)`", OPERATIONS)
    assert told
    existing = {each.name for each in [*(defs.schedules or ()), *(defs.sensors or ())]}
    assert set(told) <= existing
