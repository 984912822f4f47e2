"""Settings come from the environment, and say what is wrong with them without showing it."""

import pwd
import sys
from pathlib import Path

import pytest

from pipelines.errors import SettingsError
from pipelines.settings import read_calendar, read_settings, unknown_names


def test_defaults_emulator_an_empty_environment() -> None:
    """As the README's table says."""
    settings = read_settings()
    assert settings.page_size == 1000
    assert settings.concurrency == 8
    assert settings.requests_per_second == 20
    assert settings.timeout_seconds == 60
    assert settings.stale_days == 180
    assert settings.landing_max_age_hours == 6
    assert (settings.namespaces, settings.repositories) == ((), ())


def test_the_warehouse_is_in_the_users_data_unless_set(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """By the platform's rules; the working directory has no part in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    assert read_settings().warehouse_dir == tmp_path / "share" / "swr-warehouse"
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    below_home = {"linux": ".local/share", "darwin": "Library/Application Support"}[sys.platform]
    assert read_settings().warehouse_dir == tmp_path / "home" / below_home / "swr-warehouse"
    monkeypatch.setenv("SWR_WAREHOUSE_DIR", "elsewhere")
    assert read_settings().warehouse_dir == Path("elsewhere")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["warehouse.duckdb", ".state.duckdb"])
def test_what_an_earlier_release_left_in_the_working_directory_is_used_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    """Unless another place is set; a folder of that name with other things is no warehouse."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "figures.csv").write_text("1")
    assert read_settings().warehouse_dir.is_absolute()
    (tmp_path / "data" / name).write_text("")
    assert read_settings().warehouse_dir == Path("data")
    monkeypatch.setenv("SWR_WAREHOUSE_DIR", str(tmp_path / "own"))
    assert read_settings().warehouse_dir == tmp_path / "own"


def test_a_user_without_a_home_has_to_set_the_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a folder `~` would appear in the working directory."""
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setenv("HOME", "")
    monkeypatch.setattr(pwd, "getpwuid", {}.__getitem__)
    with pytest.raises(SettingsError, match="SWR_WAREHOUSE_DIR must be set"):
        read_settings()


def test_a_region_names_both_endpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless they are set."""
    monkeypatch.setenv("SWR_REGION", "eu-west-101")
    settings = read_settings()
    assert settings.endpoint == "https://swr-api.eu-west-101.myhuaweicloud.eu"
    assert settings.iam_endpoint == "https://iam.eu-west-101.myhuaweicloud.eu"
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
        ("SWR_MEMORY_LIMIT", "4", "must be a size such as 4GB"),
        ("SWR_MEMORY_LIMIT", "1.2.3GB", "must be a size such as 4GB"),
        ("SWR_MEMORY_LIMIT", "-4GB", "must be a size such as 4GB"),
        ("SWR_MEMORY_LIMIT", "99MB", "must be 100MB at least"),
        ("SWR_PRICE_PER_GB_MONTH", "0.03", "needs its SWR_CURRENCY, such as EUR"),
        ("SWR_PRICE_PER_GB_MONTH", "0,03", "valid decimal"),
        ("SWR_PRICE_PER_GB_MONTH", "0", "greater than 0"),
        ("SWR_PRICE_PER_GB_MONTH", "NaN", "finite number"),
        ("SWR_PRICE_PER_GB_MONTH", "0.0000001", "no more than 6 decimal places"),
        ("SWR_CURRENCY", "EUR a month", "at most 8"),
        ("SWR_CURRENCY", "E R", "one word such as EUR"),
        ("SWR_THREADS", "0", "greater than or equal to 1"),
        ("SWR_THREADS", "all", "valid integer"),
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


@pytest.mark.parametrize(
    ("region", "cloud", "endpoint"),
    [
        ("cn-north-4", "", "https://swr-api.cn-north-4.myhuaweicloud.com"),
        ("eu-de", "otc.t-systems.com", "https://swr-api.eu-de.otc.t-systems.com"),
        ("eu-west-101", "myhuaweicloud.com", "https://swr-api.eu-west-101.myhuaweicloud.com"),
    ],
)
def test_a_region_may_be_of_another_cloud(
    monkeypatch: pytest.MonkeyPatch, region: str, cloud: str, endpoint: str
) -> None:
    """By SWR_CLOUD; one region is of another by itself."""
    monkeypatch.setenv("SWR_REGION", region)
    monkeypatch.setenv("SWR_CLOUD", cloud)
    assert read_settings().endpoint == endpoint


@pytest.mark.parametrize(
    ("slip", "meant"),
    [
        ("SWR_REGOIN", "SWR_REGION"),
        ("SWR_NAMESPACE", "SWR_NAMESPACES"),
        ("SWR_DAILYAT", "SWR_DAILY_AT"),
        ("SWR_USER_NAME", "SWR_USERNAME"),
        ("SWR_PORT_5000_TCP", None),
        ("SWR_SERVICE_HOST", None),
    ],
)
def test_a_misspelt_setting_is_refused(
    monkeypatch: pytest.MonkeyPatch, slip: str, meant: str | None
) -> None:
    """Within two letters of a right one; what Kubernetes injects is not read, and named."""
    monkeypatch.setenv(slip, "tcp://10.0.0.1:5000")
    if meant is None:
        assert read_settings().page_size == 1000
        assert unknown_names() == [slip]
        return
    with pytest.raises(SettingsError) as told:
        read_settings()
    assert str(told.value) == f"{slip} is no setting: do you mean {meant}?"
    with pytest.raises(SettingsError):
        read_calendar()


HW = {
    "HW_ACCESS_KEY": "hw-ak",
    "HW_SECRET_KEY": "hw-sk",
    "HW_SECURITY_TOKEN": "hw-token",
    "HW_USER_NAME": "hw-user",
    "HW_USER_PASSWORD": "hw-password",
    "HW_DOMAIN_NAME": "hw-domain",
    "HW_REGION_NAME": "cn-north-4",
    "HW_PROJECT_NAME": "hw-project",
    "HW_CLOUD": "example.com",
    "HW_AUTH_URL": "https://iam.example.com:443/v3",
}
NOT_KEYS = {name: HW[name] for name in HW if "KEY" not in name and "TOKEN" not in name}


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        (HW, ("hw-ak", "hw-sk", "hw-token", None, None)),
        (NOT_KEYS, (None, None, None, "hw-user", "hw-password")),
        (HW | {"SWR_AUTH_TOKEN": "t"}, (None, None, None, None, None)),
        (HW | {"HUAWEICLOUD_SDK_AK": "ak"}, ("ak", None, None, None, None)),
        (HW | {"SWR_USERNAME": "u", "SWR_PASSWORD": ""}, (None, None, None, "u", None)),
    ],
)
def test_names_that_terraform_knows_are_understood(
    monkeypatch: pytest.MonkeyPatch,
    environment: dict[str, str],
    expected: tuple[str | None, ...],
) -> None:
    """Where ours say nothing; credentials of two sources are never mixed."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    settings = read_settings()
    secrets = (settings.secret_key, settings.security_token, settings.password)
    secret_key, token, password = (one and one.get_secret_value() for one in secrets)
    assert (settings.access_key, secret_key, token, settings.username, password) == expected
    assert settings.endpoint == "https://swr-api.cn-north-4.example.com"
    assert settings.iam_endpoint == "https://iam.example.com:443"
    assert settings.project_name == "hw-project"


def test_a_region_of_terraform_does_not_change_a_set_endpoint(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It may be of another registry."""
    monkeypatch.setenv("SWR_ENDPOINT", "https://swr.example.com")
    monkeypatch.setenv("HW_REGION_NAME", "cn-north-4")
    assert (read_settings().endpoint, read_settings().region) == ("https://swr.example.com", None)


def test_an_env_file_says_what_the_environment_does_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """In the working directory; its names are judged as any."""
    monkeypatch.chdir(tmp_path)
    Path(".env").write_text("SWR_PAGE_SIZE=7\nexport SWR_STALE_DAYS='9' # days\n")
    monkeypatch.setenv("SWR_STALE_DAYS", "30")
    settings = read_settings()
    assert (settings.page_size, settings.stale_days) == (7, 30)
    Path(".env").write_text("SWR_AUTH_TOKENS=secret\n")
    with pytest.raises(SettingsError) as told:
        read_settings()
    assert str(told.value) == "SWR_AUTH_TOKENS is no setting: do you mean SWR_AUTH_TOKEN?"


def test_an_env_file_that_cannot_be_read_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Without what is in it."""
    monkeypatch.chdir(tmp_path)
    Path(".env").write_bytes(b"SWR_AUTH_TOKEN=\xff\xfe")
    with pytest.raises(SettingsError, match=r"\.env cannot be read: .*utf-8"):
        read_settings()
