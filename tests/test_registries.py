"""The file of registries: what an entry says holds for it alone, and what is wrong is named."""

from pathlib import Path

import pytest

from pipelines.errors import SettingsError
from pipelines.registries import chosen_names, read_one

TWO = """
registries:
  - name: beijing
    region: cn-north-4
    credentials: {username: B_USER, password: B_PASSWORD, domain_name: B_DOMAIN}
    namespaces: [shop, "!shop-old"]
    requests_per_second: 5
  - name: shanghai
    endpoint: https://swr.example.org
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of two registries that the settings name."""
    path = tmp_path / "registries.yaml"
    path.write_text(TWO)
    for name, value in {
        "SWR_REGISTRIES": str(path),
        "SWR_WAREHOUSE_DIR": str(tmp_path / "warehouse"),
        "SWR_AUTH_TOKEN": "token-of-all",
        "SWR_REGION": "eu-west-101",
        "SWR_STALE_DAYS": "30",
        "SWR_METRICS_FILE": str(tmp_path / "swr.prom"),
        "SWR_LAKE": "s3://bucket/lake/",
        "B_USER": "reader",
        "B_PASSWORD": "secret-of-beijing",
        "B_DOMAIN": "acme",
    }.items():
        monkeypatch.setenv(name, value)
    return path


def test_each_registry_has_its_own_place_credentials_scope_and_directory(
    file: Path, tmp_path: Path
) -> None:
    """Place and credentials are an entry's as a whole; the rest is the environment's."""
    beijing, shanghai = read_one("beijing"), read_one("shanghai")
    assert (beijing.registry, shanghai.registry) == ("beijing", "shanghai")
    assert beijing.endpoint == "https://swr-api.cn-north-4.myhuaweicloud.com"
    assert shanghai.endpoint == "https://swr.example.org"
    assert shanghai.region is None
    assert (beijing.username, beijing.secrets) == ("reader", ["secret-of-beijing"])
    assert (shanghai.username, shanghai.secrets) == (None, ["token-of-all"])
    assert (beijing.namespaces, shanghai.namespaces) == (("shop", "!shop-old"), ())
    assert (beijing.requests_per_second, shanghai.requests_per_second) == (5, 20)
    assert {settings.stale_days for settings in (beijing, shanghai)} == {30}
    assert beijing.warehouse_dir == tmp_path / "warehouse" / "registries" / "beijing"
    assert shanghai.metrics_file == tmp_path / "swr.shanghai.prom"
    assert shanghai.lake == "s3://bucket/lake/shanghai"
    assert file.exists()


def test_one_of_several_is_chosen_by_name(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the setting, or by whoever asks; the only one of a file needs no choice."""
    assert chosen_names() == ("beijing", "shanghai")
    assert read_one("shanghai").registry == "shanghai"
    with pytest.raises(SettingsError) as several:
        read_one()
    assert str(several.value) == (
        "There are several registries: choose one with --registry (beijing, shanghai)."
    )
    with pytest.raises(SettingsError, match=r"has no registry tokyo; it has beijing, shanghai."):
        read_one("tokyo")
    monkeypatch.setenv("SWR_REGISTRY", "beijing")
    assert (chosen_names(), read_one().registry) == (("beijing",), "beijing")
    monkeypatch.setenv("SWR_REGISTRY", "tokyo")
    with pytest.raises(SettingsError, match=r"has no registry tokyo; it has beijing, shanghai."):
        read_one()
    monkeypatch.delenv("SWR_REGISTRY")
    file.write_text("registries: [{name: beijing, region: cn-north-4}]")
    assert read_one().registry == "beijing"


def test_without_a_file_there_is_one_registry_and_no_choice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As ever."""
    monkeypatch.setenv("SWR_REGION", "cn-north-4")
    assert (read_one().registry, chosen_names()) == (None, (None,))
    monkeypatch.setenv("SWR_REGISTRY", "beijing")
    with pytest.raises(SettingsError, match="name their file by SWR_REGISTRIES"):
        read_one()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("registries: []", "Expected `array` of length >= 1"),
        ("registries: [{name: a, region: x}, {name: a, region: y}]", "has a twice"),
        ("registries: [{name: a}]", "a needs region or endpoint"),
        ("registries: [{name: ../a, region: x}]", "matching regex"),
        ("registries: [{name: a, regoin: x}]", "unknown field `regoin`"),
        ("registries: [{region: x}]", "missing required field `name`"),
        ("registry: []", "unknown field `registry`"),
        ("{{", "it is no YAML"),
        ("[" * 5000, "it is no YAML"),
        ("", "Expected `object`, got `null`"),
        ("registries: [{name: a, region: x, requests_per_second: -1}]", "a: SWR_REQUESTS_PER_SEC"),
        ("registries: [{name: a, region: X y}]", "a: SWR_REGION"),
        ("registries: [{name: a, endpoint: 'http://swr.example.org'}]", "a: SWR_ENDPOINT: must be"),
        ("registries: [{name: a, region: x, credentials: {password: A_B}}]", "A_B, its password,"),
    ],
)
def test_what_is_wrong_with_the_file_is_said(file: Path, text: str, problem: str) -> None:
    """In one sentence."""
    file.write_text(text)
    with pytest.raises(SettingsError) as error:
        read_one()
    assert problem in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("secret", ["hunter2", "Pass Word", "a" * 500, "MIIB+/=="])
def test_a_secret_in_the_place_of_a_variables_name_is_not_repeated(file: Path, secret: str) -> None:
    """People paste."""
    file.write_text(f"registries: [{{name: a, region: x, credentials: {{password: {secret!r}}}}}]")
    with pytest.raises(SettingsError) as error:
        read_one()
    assert secret not in str(error.value)
    assert "registries[0].credentials.password" in str(error.value)


def test_what_one_entry_lacks_is_no_matter_of_the_others(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its variable is not set, say."""
    monkeypatch.delenv("B_PASSWORD")
    with pytest.raises(SettingsError, match=r"beijing: B_PASSWORD, its password, is not set."):
        read_one("beijing")
    assert read_one("shanghai").secrets == ["token-of-all"]
    assert file.exists()


def test_a_missing_file_is_named(file: Path) -> None:
    """And what is wrong with it."""
    file.unlink()
    with pytest.raises(SettingsError) as error:
        read_one()
    assert str(error.value) == f"SWR_REGISTRIES: {file} cannot be read: No such file or directory"
