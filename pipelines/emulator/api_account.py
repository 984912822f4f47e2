"""The calls of SWR on the whole account: its figures and quotas, and the versions of the API."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial

from pipelines.emulator.iam import DEFAULT_USERS
from pipelines.emulator.messages import (
    Call,
    Request,
    Response,
    backend_error,
    json_response,
)
from pipelines.emulator.records import instant
from pipelines.emulator.registry import Registry

_NAMESPACE_QUOTA = 15
_DAYS, _MONTHS = 30, 12


@dataclass(frozen=True)
class AccountApi:
    """Figures of the account, counted anew each time.

    Attributes:
        registry: what is counted.
        url: tells the base URL of the API.
    """

    registry: Registry
    url: Callable[[], str]

    def find(self, request: Request) -> Call | None:
        """Find the call a request means; None if there is no such here."""
        call: Call | None = None
        match (request.method, *request.segments):
            case ("GET", ""):
                call = partial(json_response, 200, {"versions": [self._version()]})
            case ("GET", "v2"):
                call = partial(json_response, 200, {"version": self._version()})
            case ("GET", "v2", "manage", "overview"):
                call = self._overview
            case ("GET", "v2", "manage", "reports", resource, frequency):
                call = partial(self._report, resource, frequency)
            case ("GET", "v2", "manage", "projects", _, "quotas"):
                call = self._quotas
        return call

    def _version(self) -> dict[str, object]:
        return {
            "id": "v2",
            "links": {"href": f"{self.url()}/v2", "rel": "self"},
            "version": "",
            "status": "CURRENT",
            "updated": "2018-07-06T00:00:00Z",
            "min_version": "",
        }

    def _overview(self) -> Response:
        repositories = self.registry.repository_records()
        return json_response(
            200,
            {
                "domain_id": self.registry.domain_id,
                "domain_name": DEFAULT_USERS[0].domain,
                # Spelt as the service spells it.
                "namspace_num": len(self.registry.namespace_records()),
                "repo_num": len(repositories),
                "image_num": sum(record["num_images"] for record in repositories),
                "store_space": float(sum(record["size"] for record in repositories)),
                "downflow_size": 0.0,
            },
        )

    def _report(self, resource: str, frequency: str) -> Response:
        """Tell for each day or month what the tags of today took, as far as they existed."""
        today = datetime.now(UTC).date()
        dates = {"daily": _last_days(today), "monthly": _last_months(today)}.get(frequency)
        if resource not in {"store", "downflow"} or dates is None:
            return backend_error(400, "4001025", "Invalid parameter", "frequency")
        sizes = self._sizes() if resource == "store" else []
        rows = [
            {
                "date": day.isoformat(),
                "value": float(sum(size for since, size in sizes if since < _end(day))),
            }
            for day in dates
        ]
        return json_response(200, rows)

    def _sizes(self) -> list[tuple[int, int]]:
        """When each tag was created, and its bytes."""
        return [
            (instant(tag.wire.get("created")), size)
            for record in self.registry.repository_records()
            for tag in self.registry.tags(record["namespace"], record["name"])
            if type(size := tag.wire.get("size")) is int
        ]

    def _quotas(self) -> Response:
        used = len(self.registry.namespace_records())
        quota = {
            "quota_key": "namespace",
            "quota_limit": max(_NAMESPACE_QUOTA, used),
            "unit": "",
            "used": used,
        }
        return json_response(200, {"quotas": [quota]})


def _last_days(today: date) -> Sequence[date]:
    return [today - timedelta(days=days) for days in reversed(range(_DAYS))]


def _last_months(today: date) -> Sequence[date]:
    """The first day of each month, the present one last."""
    present = today.year * 12 + today.month - 1
    months = [divmod(present - ago, 12) for ago in reversed(range(_MONTHS))]
    return [date(year, month + 1, 1) for year, month in months]


def _end(day: date) -> int:
    return instant(f"{day + timedelta(days=1)}T00:00:00Z")
