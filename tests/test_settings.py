"""Settings come from the environment, and say what is wrong with them without showing it."""

from pathlib import Path

import pytest

from pipelines.errors import SettingsError
from pipelines.settings import read_settings


def test_defaults_emulator_an_empty_environment() -> None:
    """As the README's table says."""
    settings = read_settings()
    assert settings.page_size == 1000
    assert settings.concurrency == 8
    assert settings.requests_per_second == 20
    assert settings.timeout_seconds == 60
    assert settings.stale_days == 180
    assert settings.landing_max_age_hours == 6
    assert settings.warehouse_dir == Path("data")
    assert (settings.namespaces, settings.repositories) == ((), ())


def test_a_region_names_both_endpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless they are set."""
    monkeypatch.setenv("SWR_REGION", "eu-west-101")
    settings = read_settings()
    assert settings.endpoint == "https://swr-api.eu-west-101.myhuaweicloud.com"
    assert settings.iam_endpoint == "https://iam.eu-west-101.myhuaweicloud.com"
    monkeypatch.setenv("SWR_ENDPOINT", "https://swr.example.com/")
    assert read_settings().endpoint == "https://swr.example.com"


def test_an_empty_variable_is_an_unset_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """As shells and unit files leave them."""
    monkeypatch.setenv("SWR_PAGE_SIZE", "")
    assert read_settings().page_size == 1000


def test_globs_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    """White space around them means nothing."""
    monkeypatch.setenv("SWR_NAMESPACES", "team-*, !team-old ,")
    assert read_settings().namespaces == ("team-*", "!team-old")


def test_no_endpoint_is_told_when_it_is_needed() -> None:
    """With what to set."""
    with pytest.raises(SettingsError, match="set SWR_REGION"):
        _ = read_settings().endpoint


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("SWR_PAGE_SIZE", "1001", "less than or equal to 1000"),
        ("SWR_CONCURRENCY", "0", "greater than or equal to 1"),
        ("SWR_TIMEOUT_SECONDS", "soon", "valid number"),
        ("SWR_REGION", "cn north", "pattern"),
        ("SWR_ENDPOINT", "swr.example.com", "must be a URL"),
        ("SWR_ENDPOINT", "http://swr.example.com", "must be https"),
        ("SWR_ENDPOINT", "https://user:word@swr.example.com", "no user"),
        ("SWR_CA_BUNDLE", "/nowhere/ca.pem", "no file"),
    ],
)
def test_a_wrong_setting_is_named_with_what_is_wrong(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str
) -> None:
    """One sentence a setting."""
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=told) as error:
        read_settings()
    assert name in str(error.value)


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost", "[::1]:9"])
def test_plain_http_is_accepted_for_this_machine(
    monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    """Where nothing travels."""
    monkeypatch.setenv("SWR_ENDPOINT", f"http://{host}")
    assert read_settings().endpoint == f"http://{host}"


def test_plain_http_to_another_machine_has_to_be_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """In so many words; the refusal says which."""
    monkeypatch.setenv("SWR_ENDPOINT", "http://swr.example.com")
    monkeypatch.setenv("SWR_IAM_ENDPOINT", "http://iam.example.com")
    with pytest.raises(SettingsError, match="SWR_ALLOW_HTTP=true accepts that"):
        read_settings()
    monkeypatch.setenv("SWR_ALLOW_HTTP", "true")
    settings = read_settings()
    assert settings.endpoint == "http://swr.example.com"
    assert settings.iam_endpoint == "http://iam.example.com"


def test_secrets_are_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither by repr nor by an error about them."""
    secret = "xK9-not-to-be-seen"
    names = [
        "SWR_AUTH_TOKEN",
        "SWR_PASSWORD",
        "HUAWEICLOUD_SDK_SK",
        "HUAWEICLOUD_SDK_SECURITY_TOKEN",
    ]
    for name in names:
        monkeypatch.setenv(name, secret)
    assert secret not in repr(read_settings())
    for name in names:
        monkeypatch.setenv(name, f"{secret}\r\nX-Evil: 1")
    with pytest.raises(SettingsError) as error:
        read_settings()
    assert secret not in str(error.value)
    assert all(name in str(error.value) for name in names)


def test_white_space_around_a_secret_is_no_part_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file read into a variable ends in a line break."""
    monkeypatch.setenv("SWR_AUTH_TOKEN", "token\n")
    token = read_settings().auth_token
    assert token is not None
    assert token.get_secret_value() == "token"
