"""Every setting, in one table: environment variables, their defaults and their limits.

The room that uses a setting says what for. Command-line flags override through
`read_settings(**overrides)`; what the environment does not say, `.env` may.
"""

import os
import re
from collections.abc import Mapping
from decimal import Decimal
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from dotenv import load_dotenv
from platformdirs import user_data_path
from pydantic import (
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from pipelines.errors import SettingsError

S = TypeVar("S", bound=BaseSettings)
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
Globs = Annotated[tuple[str, ...], NoDecode]
_DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_BYTES = {
    f"{letter}{binary}b": base**power
    for power, letter in enumerate("kmgt", start=1)
    for binary, base in (("", 1000), ("i", 1024))
}
_LEAST_MEMORY = 100_000_000
_TIME = r"([01]\d|2[0-3]):[0-5]\d"
# As Dagster takes them.
_OWNER = re.compile(r"team:[\w.-]+|[\w.+%-]+@([\w-]+\.)+[A-Za-z]{2,}", re.ASCII)
_ENV_FILE = Path(".env")
# Where earlier releases put the warehouse, in the working directory, and by what it is known.
_EARLIER = Path("data")
_FILES = ("warehouse.duckdb", ".state.duckdb")
_PREFIX = "SWR_"
# An unknown name so near to a known one is taken for a slip.
_EDITS_OF_A_SLIP = 2
_CLOUD = "myhuaweicloud.com"
# Regions of another cloud.
_CLOUDS = {"eu-west-101": "myhuaweicloud.eu"}
_OWN_CREDENTIALS = ("auth_token", "username", "password", "access_key", "secret_key")
# What Terraform's users have set; the first group that is there is taken, as Terraform does.
_HW_CREDENTIALS: tuple[Mapping[str, str], ...] = (
    {
        "HW_ACCESS_KEY": "access_key",
        "HW_SECRET_KEY": "secret_key",
        "HW_SECURITY_TOKEN": "security_token",
    },
    {
        "HW_USER_NAME": "username",
        "HW_USER_PASSWORD": "password",
        "HW_DOMAIN_NAME": "domain_name",
    },
)
_HW_PLACES: Mapping[str, str] = {
    "HW_REGION_NAME": "region",
    "HW_PROJECT_NAME": "project_name",
    "HW_CLOUD": "cloud",
    "HW_AUTH_URL": "iam_endpoint_setting",
}
_FROM_ENVIRONMENT = SettingsConfigDict(
    frozen=True,
    extra="ignore",
    populate_by_name=True,
    env_ignore_empty=True,
    hide_input_in_errors=True,
)


def usual_directory() -> Path:
    """Where the warehouse is if it is not set: what an earlier release left, or the user's data.

    Raises:
        SettingsError: the user has no home.
    """
    if any((_EARLIER / name).exists() for name in _FILES):
        return _EARLIER
    try:
        return user_data_path("swr-warehouse", appauthor=False)
    except RuntimeError:
        raise SettingsError("SWR_WAREHOUSE_DIR must be set: this user has no home") from None


class Calendar(BaseSettings):
    """What must be known before there is a run: when runs begin by themselves, whose tables are."""

    model_config = _FROM_ENVIRONMENT

    time_zone: str = Field("UTC", validation_alias="SWR_SCHEDULE_TIME_ZONE")
    daily_at: str = Field("03:00", validation_alias="SWR_DAILY_AT")
    weekly_full_at: str = Field("sunday 03:00", validation_alias="SWR_WEEKLY_FULL_AT")
    owners: Globs = Field((), validation_alias="SWR_OWNERS")

    @field_validator("owners", mode="before")
    @classmethod
    def _split_owners(cls, value: object) -> object:
        names = _split(value)
        if isinstance(names, tuple) and not all(map(_OWNER.fullmatch, names)):
            raise ValueError("must be teams such as team:platform, or addresses of mail")
        return names

    @field_validator("time_zone")
    @classmethod
    def _check_time_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):  # unknown, no name at all, a directory
            raise ValueError("must name a time zone such as Europe/Berlin") from None
        return value

    @field_validator("daily_at")
    @classmethod
    def _check_daily(cls, value: str) -> str:
        if not re.fullmatch(_TIME, value):
            raise ValueError("must be a time such as 03:00")
        return value

    @field_validator("weekly_full_at")
    @classmethod
    def _check_weekly(cls, value: str) -> str:
        if not re.fullmatch(rf"({'|'.join(_DAYS)}) {_TIME}", value.lower()):
            raise ValueError("must be a day and a time such as sunday 03:00")
        return value.lower()

    @property
    def daily_cron(self) -> str:
        """Every day but the one of the weekly full run."""
        others = (str(day) for day in range(len(_DAYS)) if day != self._weekday)
        return f"{_minute_and_hour(self.daily_at)} * * {','.join(others)}"

    @property
    def weekly_cron(self) -> str:
        """Once a week."""
        return f"{_minute_and_hour(self.weekly_full_at.split()[1])} * * {self._weekday}"

    @property
    def _weekday(self) -> int:
        return _DAYS.index(self.weekly_full_at.split()[0])


class Settings(BaseSettings):
    """What a run needs to know. Secrets are never shown by `repr` or in errors."""

    model_config = _FROM_ENVIRONMENT

    # First, for the addresses are judged by it.
    allow_http: bool = Field(default=False, validation_alias="SWR_ALLOW_HTTP")
    region: str | None = Field(None, validation_alias="SWR_REGION", pattern=r"^[a-z0-9-]+$")
    cloud: str | None = Field(None, validation_alias="SWR_CLOUD", pattern=r"^[a-z0-9.-]+$")
    endpoint_setting: str | None = Field(None, validation_alias="SWR_ENDPOINT")
    iam_endpoint_setting: str | None = Field(None, validation_alias="SWR_IAM_ENDPOINT")

    auth_token: SecretStr | None = Field(None, validation_alias="SWR_AUTH_TOKEN")
    username: str | None = Field(None, validation_alias="SWR_USERNAME")
    password: SecretStr | None = Field(None, validation_alias="SWR_PASSWORD")
    domain_name: str | None = Field(None, validation_alias="SWR_DOMAIN_NAME")
    project_name: str | None = Field(None, validation_alias="SWR_PROJECT_NAME")
    access_key: str | None = Field(None, validation_alias="HUAWEICLOUD_SDK_AK")
    secret_key: SecretStr | None = Field(None, validation_alias="HUAWEICLOUD_SDK_SK")
    security_token: SecretStr | None = Field(
        None, validation_alias="HUAWEICLOUD_SDK_SECURITY_TOKEN"
    )
    project_id: str | None = Field(None, validation_alias="HUAWEICLOUD_SDK_PROJECT_ID")

    credentials: Literal["ecs-agency", "cce-pod", "file"] | None = Field(
        None, validation_alias="SWR_CREDENTIALS"
    )
    credentials_file: Path = Field(
        Path("~/.huaweicloud/credentials"), validation_alias="HUAWEICLOUD_SDK_CREDENTIALS_FILE"
    )
    pod_credentials_uri: str | None = Field(
        None, validation_alias="HC_CONTAINER_CREDENTIALS_FULL_URI"
    )
    pod_token_file: Path | None = Field(
        None, validation_alias="HC_CONTAINER_AUTHORIZATION_TOKEN_FILE"
    )

    instance_id: str | None = Field(
        None, validation_alias="SWR_INSTANCE_ID", pattern=r"^[A-Za-z0-9-]+$"
    )
    registries_file: Path | None = Field(None, validation_alias="SWR_REGISTRIES")
    registry: str | None = Field(None, validation_alias="SWR_REGISTRY")

    namespaces: Globs = Field((), validation_alias="SWR_NAMESPACES")
    repositories: Globs = Field((), validation_alias="SWR_REPOSITORIES")

    page_size: int = Field(1000, validation_alias="SWR_PAGE_SIZE", ge=1, le=1000)
    concurrency: int = Field(8, validation_alias="SWR_CONCURRENCY", ge=1, le=256)
    requests_per_second: float = Field(20, validation_alias="SWR_REQUESTS_PER_SECOND", ge=0)
    timeout_seconds: float = Field(60, validation_alias="SWR_TIMEOUT_SECONDS", gt=0)
    max_answer_mb: int = Field(256, validation_alias="SWR_MAX_ANSWER_MB", ge=1)
    ca_bundle: Path | None = Field(None, validation_alias="SWR_CA_BUNDLE")

    resolve: Literal["auto", "off", "required"] = Field("auto", validation_alias="SWR_RESOLVE")
    pulls_per_second: float = Field(20, validation_alias="SWR_PULLS_PER_SECOND", ge=0)
    resolve_limit: int = Field(20_000, validation_alias="SWR_RESOLVE_LIMIT", ge=1)
    resolve_retry_days: float = Field(7, validation_alias="SWR_RESOLVE_RETRY_DAYS", ge=0)
    read_configs: bool = Field(default=False, validation_alias="SWR_READ_CONFIGS")
    read_rules: bool = Field(default=False, validation_alias="SWR_READ_RULES")
    report_labels: Globs = Field(
        ("org.opencontainers.image.source", "team", "maintainer"),
        validation_alias="SWR_REPORT_LABELS",
    )

    price_per_gb_month: Decimal | None = Field(
        None, validation_alias="SWR_PRICE_PER_GB_MONTH", gt=0, max_digits=12, decimal_places=6
    )
    currency: str | None = Field(None, validation_alias="SWR_CURRENCY", max_length=8)

    stale_days: int = Field(180, validation_alias="SWR_STALE_DAYS", ge=0)
    in_use_days: int = Field(30, validation_alias="SWR_IN_USE_DAYS", ge=0, le=36_500)
    exact_hours: float = Field(48, validation_alias="SWR_EXACT_HOURS", ge=0)
    landing_max_age_hours: float = Field(6, validation_alias="SWR_LANDING_MAX_AGE_HOURS", ge=0)
    memory_bytes: int | None = Field(None, validation_alias="SWR_MEMORY_LIMIT")
    threads: int | None = Field(None, validation_alias="SWR_THREADS", ge=1, le=1024)
    warehouse_dir: Path = Field(
        default_factory=usual_directory, validation_alias="SWR_WAREHOUSE_DIR"
    )
    engine: Literal["duckdb", "spark"] = Field("duckdb", validation_alias="SWR_ENGINE")
    lake_setting: str | None = Field(None, validation_alias="SWR_LAKE")
    spark: str | None = Field(None, validation_alias="SWR_SPARK")
    metrics_setting: Path | None = Field(None, validation_alias="SWR_METRICS_FILE")

    log_format: Literal["plain", "json"] = Field("plain", validation_alias="SWR_LOG_FORMAT")
    alert_webhook_url: SecretStr | None = Field(None, validation_alias="SWR_ALERT_WEBHOOK_URL")
    keep_landing_days: float = Field(30, validation_alias="SWR_KEEP_LANDING_DAYS", ge=0)
    keep_history_days: float = Field(365, validation_alias="SWR_KEEP_HISTORY_DAYS", ge=1)
    write_page: bool = Field(default=True, validation_alias="SWR_WRITE_PAGE")

    @field_validator("namespaces", "repositories", "report_labels", mode="before")
    @classmethod
    def _split_globs(cls, value: object) -> object:
        return _split(value)

    @field_validator("memory_bytes", mode="before")
    @classmethod
    def _read_memory(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        found = re.fullmatch(r"(\d+(?:\.\d+)?) *([kmgt]i?b)", value.strip().lower())
        if found is None:
            raise ValueError("must be a size such as 4GB or 512MiB")
        number, unit = float(found[1]), _BYTES[found[2]]
        if number * unit < _LEAST_MEMORY:
            raise ValueError("must be 100MB at least")
        return int(number * unit)

    @field_validator("auth_token", "password", "secret_key", "security_token")
    @classmethod
    def _check_secret(cls, value: SecretStr | None) -> SecretStr | None:
        """Refuse what no header can carry, here, where it is not repeated in the message."""
        if value is not None and not value.get_secret_value().strip().isprintable():
            raise ValueError("holds characters that cannot be sent, such as a line break")
        return value and SecretStr(value.get_secret_value().strip())

    @field_validator("endpoint_setting", "iam_endpoint_setting")
    @classmethod
    def _check_url(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("must be a URL such as https://swr-api.cn-north-4.myhuaweicloud.com")
        if parts.username or parts.query or parts.fragment:
            raise ValueError("must hold no user, query or fragment")
        if not is_safe_url(value, allow_http=bool(info.data.get("allow_http"))):
            raise ValueError(
                "must be https: plain http would send credentials in the clear;"
                " SWR_ALLOW_HTTP=true accepts that"
            )
        return value.rstrip("/")

    @field_validator("pod_credentials_uri")
    @classmethod
    def _check_agent(cls, value: str | None, info: ValidationInfo) -> str | None:
        allow_http = bool(info.data.get("allow_http"))
        if value and not (is_safe_url(value, allow_http=allow_http) or _is_link_local(value)):
            raise ValueError("must be https, or an address beside this machine")
        return value

    @field_validator("alert_webhook_url")
    @classmethod
    def _check_webhook(cls, value: SecretStr | None) -> SecretStr | None:
        """The path of such a URL is a secret in itself, so it is not repeated in the message."""
        if value is None:
            return None
        try:
            parts = urlsplit(value.get_secret_value())
        except ValueError:
            raise ValueError("is no URL") from None
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("must be a URL that takes a POST of JSON")
        if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
            raise ValueError("must be https: plain http would send it in the clear")
        return value

    @field_validator("currency")
    @classmethod
    def _check_currency(cls, value: str | None) -> str | None:
        if value is not None and (not value.isprintable() or " " in value):
            raise ValueError("must be one word such as EUR")
        return value

    @model_validator(mode="after")
    def _check_price(self) -> Self:
        if self.price_per_gb_month is not None and not self.currency:
            raise ValueError("SWR_PRICE_PER_GB_MONTH: a price needs its SWR_CURRENCY, such as EUR")
        return self

    @model_validator(mode="after")
    def _check_ca_bundle(self) -> Self:
        if self.ca_bundle is not None and not self.ca_bundle.exists():
            raise ValueError(f"SWR_CA_BUNDLE: there is no file or folder {self.ca_bundle}")
        return self

    @property
    def metrics_file(self) -> Path:
        """Where each publication writes its figures for a collector of metrics."""
        return self.metrics_setting or self.warehouse_dir / "warehouse.prom"

    @property
    def lake(self) -> str:
        """Where the tables are that engines share: a path, or a URI of `pyarrow.fs`.

        Each of several registries has a folder of its own there.
        """
        if self.lake_setting is None:
            return str(self.warehouse_dir / "lake")
        return "/".join(filter(None, (self.lake_setting.rstrip("/"), self.registry)))

    @property
    def secrets(self) -> list[str]:
        """The secrets that credentials are made of."""
        given = (self.auth_token, self.password, self.secret_key, self.security_token)
        return [secret.get_secret_value() for secret in given if secret]

    @property
    def has_registry(self) -> bool:
        """Whether it is said where the registry is, or that there are several."""
        return bool(self.endpoint_setting or self.region or self.registries_file)

    @property
    def endpoint(self) -> str:
        """Base URL of the SWR API, without a trailing slash.

        Raises:
            SettingsError: neither an endpoint nor a region is set.
        """
        if self.endpoint_setting:
            return self.endpoint_setting
        if self.region:
            return f"https://swr-api.{self.region}.{self._cloud}"
        raise SettingsError(
            "No endpoint: set SWR_REGION (for example cn-north-4) or SWR_ENDPOINT. "
            "To try things out without one, run `swr-warehouse demo`."
        )

    @property
    def iam_endpoint(self) -> str:
        """Base URL of the IAM API, without a trailing slash.

        Raises:
            SettingsError: neither an IAM endpoint nor a region is set.
        """
        if self.iam_endpoint_setting:
            return self.iam_endpoint_setting
        if self.region:
            return f"https://iam.{self.region}.{self._cloud}"
        raise SettingsError("No IAM endpoint: set SWR_IAM_ENDPOINT, or SWR_REGION.")

    @property
    def _cloud(self) -> str:
        return self.cloud or _CLOUDS.get(self.region or "", _CLOUD)


def _split(value: object) -> object:
    """Read a list with commas, as the environment has it."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def is_safe_url(url: str, *, allow_http: bool) -> bool:
    """Whether something secret may be sent there: by https, or to this machine."""
    try:
        parts = urlsplit(url)
        is_own = parts.hostname in _LOOPBACK or allow_http
    except ValueError:
        return False
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and is_own))


def _is_link_local(url: str) -> bool:
    """Whether no router is on the way to it, as to a metadata service."""
    try:
        parts = urlsplit(url)
        is_near = ip_address(parts.hostname or "").is_link_local
    except ValueError:
        return False
    return parts.scheme == "http" and is_near


def is_loopback(host: str) -> bool:
    """Whether a host, with or without a port, is this machine."""
    return urlsplit(f"//{host}").hostname in _LOOPBACK


def known_names() -> set[str]:
    """Every name that is read from the environment."""
    fields = [*Settings.model_fields.values(), *Calendar.model_fields.values()]
    own = {str(field.validation_alias) for field in fields}
    return own.union(_HW_PLACES, *_HW_CREDENTIALS)


def unknown_names() -> list[str]:
    """Names in the environment that begin as settings do and are none."""
    known = known_names()
    names = [name for name in os.environ if name.upper().startswith(_PREFIX)]
    return sorted(name for name in names if name.upper() not in known)


def read_settings(**overrides: Any) -> Settings:
    """Read the environment; keyword arguments, by field name and where not None, come first.

    Raises:
        SettingsError: names each wrong setting and what is wrong with it, never its value.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    return read_settings_with(given)


def read_settings_with(given: Mapping[str, Any]) -> Settings:
    """Read the environment; what is given by field name comes first, None where it is None.

    Raises as `read_settings`.
    """
    _prepare_environment()
    return _read(Settings, **{**_from_terraform(), **given})


def read_calendar() -> Calendar:
    """Read from the environment when runs begin.

    Raises:
        SettingsError: names each wrong setting and what is wrong with it.
    """
    _prepare_environment()
    return _read(Calendar)


def _prepare_environment() -> None:
    """Add what `.env` of the working directory says, and refuse a name that is a slip of the pen.

    What such a name sets would silently not hold.
    """
    try:
        load_dotenv(_ENV_FILE, override=False)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{_ENV_FILE.absolute()} cannot be read: {error}") from None
    for name in unknown_names():
        edits, meant = min((_edits(name, known), known) for known in known_names())
        if edits <= _EDITS_OF_A_SLIP:
            raise SettingsError(f"{name} is no setting: do you mean {meant}?")


def _edits(one: str, other: str) -> int:
    """How many letters have to be added, left out or replaced to make one text of another."""
    row = list(range(len(other) + 1))
    for number, letter in enumerate(one, 1):
        before, row = row, [number]
        for place, its in enumerate(other):
            row.append(min(before[place] + (letter != its), before[place + 1] + 1, row[-1] + 1))
    return row[-1]


def _from_terraform() -> dict[str, str]:
    """Settings by the names that Terraform knows, where ours say nothing.

    Credentials are not mixed: those of one source are taken, or none.
    """
    taken = {name: field for name, field in _HW_PLACES.items() if not _is_set(field)}
    if _is_set("endpoint_setting"):
        taken.pop("HW_REGION_NAME", None)
    if not any(map(_is_set, _OWN_CREDENTIALS)):
        groups = (group for group in _HW_CREDENTIALS if any(map(os.environ.get, group)))
        taken.update(next(groups, {}))
    values = {field: value for name, field in taken.items() if (value := os.environ.get(name))}
    if url := values.get("iam_endpoint_setting"):
        values["iam_endpoint_setting"] = url.rstrip("/").removesuffix("/v3")
    return values


def _is_set(field: str) -> bool:
    return bool(os.environ.get(str(Settings.model_fields[field].validation_alias)))


def _read(shape: type[S], **given: Any) -> S:
    try:
        return shape(**given)
    except ValidationError as error:
        problems = (_problem(shape, one) for one in error.errors())
        raise SettingsError("; ".join(problems)) from None


def _minute_and_hour(time: str) -> str:
    hour, minute = time.split(":")
    return f"{int(minute)} {int(hour)}"


def _problem(shape: type[BaseSettings], error: ErrorDetails) -> str:
    name = ".".join(str(part) for part in error["loc"][:1])
    field = shape.model_fields.get(name)
    shown = field.validation_alias if field else name
    message = error["msg"].removeprefix("Value error, ")
    return f"{shown}: {message}" if shown else message
