"""Every named fault does on the wire what its table says."""

import gzip
import json
import random
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import rare_faults
import requests
from changing_registry import Moving, Vanishing
from rare_faults import ALL_FAULTS, ODD_RECORDS, all_faults_by_name

from pipelines.emulator import faults
from pipelines.emulator.faults import FAULTS
from pipelines.emulator.messages import Request, Response
from pipelines.emulator.registry import Registry
from pipelines.emulator.server import Emulator

Get = Callable[..., requests.Response]
TAGS = "/v2/manage/namespaces/group/repos/busybox/tags"
REPOSITORIES = "/v2/manage/repos"
AT = datetime(2026, 3, 9, 9, 30, 15, 120000, tzinfo=UTC)
PAGE = {"offset": 0, "limit": 10}


def strike(server: Emulator, name: str) -> None:
    """Let a fault of the table strike every time."""
    server.faults = all_faults_by_name({name: 1}, server.registry, random.Random(1))


def names(response: requests.Response) -> list[str]:
    """Names of the tags on a page."""
    return [record["Tag"] for record in response.json()]


@pytest.mark.parametrize(
    ("name", "answer", "told"),
    [
        ("throttled", (429, {"Retry-After": None}), "APIGW.0308"),
        ("throttled-for-a-second", (429, {"Retry-After": "1"}), "APIGW.0308"),
        ("error-500", (500, {"Content-Type": "text/html"}), "<html>"),
        ("error-502", (502, {"Content-Type": "text/html"}), "<html>"),
        ("error-503", (503, {"Content-Type": "text/html"}), "<html>"),
        ("disguised-error", (200, {"Content-Type": "text/html"}), "<html>"),
        ("clock-skew", (200, {"Content-Range": "0-5/5"}), "latest"),
    ],
)
def test_an_answer_of_its_own(
    server: Emulator, get: Get, name: str, answer: tuple[int, dict[str, str | None]], told: str
) -> None:
    """CrawlStatus, headers and body; a clock is of no concern to a token."""
    strike(server, name)
    response = get(TAGS, **PAGE)
    status, headers = answer
    assert response.status_code == status
    assert {header: response.headers.get(header) for header in headers} == headers
    assert told in response.text
    assert server.log[-1].status == status


@pytest.mark.parametrize("name", ["slow-first-byte", "slow-body"])
def test_slow_answers(server: Emulator, session: requests.Session, name: str) -> None:
    """The head is late, or half of the body is."""
    strike(server, name)
    began = time.monotonic()
    response = session.get(server.url + TAGS, params=PAGE, stream=True, timeout=10)
    head = time.monotonic() - began
    assert names(response) == ["edge", "latest", "2.0", "1.1", "1.0"]
    assert (head >= 1, time.monotonic() - began >= 1) == (name == "slow-first-byte", True)


def test_half_of_a_body_comes_before_the_pause(server: Emulator) -> None:
    """Byte for byte."""
    strike(server, "slow-body")
    body = server.answer(Request("GET", TAGS, {"x-auth-token": "emulator-token"})).body
    address = urlsplit(server.url)
    with socket.create_connection((address.hostname or "", address.port or 0)) as client:
        head = f"GET {TAGS} HTTP/1.1\r\nHost: x\r\nX-Auth-Token: emulator-token\r\n\r\n"
        client.sendall(head.encode())
        time.sleep(0.5)
        early = client.recv(1_000_000)
    assert early.partition(b"\r\n\r\n")[2] == body[: len(body) // 2]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("truncated", requests.exceptions.ChunkedEncodingError),
        ("reset", requests.exceptions.ConnectionError),
        ("broken-json", requests.exceptions.JSONDecodeError),
    ],
)
def test_broken_answers(server: Emulator, get: Get, name: str, kind: type[Exception]) -> None:
    """The body ends early, never comes, or is cut before it was announced."""
    strike(server, name)
    with pytest.raises(kind):
        get(TAGS, **PAGE).json()


def test_compressed_answers(server: Emulator, get: Get, session: requests.Session) -> None:
    """Only for those who accept them."""
    plain = get(TAGS, **PAGE).content
    strike(server, "gzip")
    response = session.get(server.url + TAGS, params=PAGE, stream=True, timeout=10)
    assert response.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(response.raw.read()) == plain
    session.headers["Accept-Encoding"] = "identity"
    response = get(TAGS, **PAGE)
    assert (response.headers.get("Content-Encoding"), response.content) == (None, plain)


@pytest.mark.parametrize(
    ("name", "stated"),
    [
        ("no-total", None),
        ("garbled-total", "2-3/many"),
        ("total-too-high", "2-3/6"),
        ("total-too-low", "2-3/4"),
    ],
)
def test_wrong_totals(server: Emulator, get: Get, name: str, stated: str | None) -> None:
    """Of a page of three records from the second on, of five."""
    strike(server, name)
    assert get(TAGS, offset=2, limit=10).headers.get("Content-Range") == stated


def test_page_sizes(server: Emulator, get: Get) -> None:
    """Refused, or cut down with a total that stays true."""
    server.faults = [faults.page_size_refused(3)]
    refused = get(TAGS, offset=0, limit=4)
    assert (refused.status_code, refused.json()["errors"][0]["errorCode"]) == (
        400,
        "SVCSTG.SWR.4001072",
    )
    assert get(TAGS, offset=0, limit=3).ok
    server.faults = [rare_faults.page_size_clamped(3)]
    clamped = get(TAGS, offset=1, limit=4)
    assert (len(clamped.json()), clamped.headers["Content-Range"]) == (3, "1-3/5")
    assert get(REPOSITORIES, offset=0, limit=2).headers["Content-Range"] == "0-2/3"


def test_a_forbidden_namespace(server: Emulator, get: Get) -> None:
    """It is listed; its repositories and their tags are not."""
    server.faults = [faults.forbidden("group")]
    assert get("/v2/manage/namespaces").ok
    assert get(REPOSITORIES, namespace="grouped", **PAGE).ok
    for response in (get(REPOSITORIES, namespace="group", **PAGE), get(TAGS, **PAGE)):
        assert response.status_code == 403
        assert response.json()["error_code"] == "SVCSTG.SWR.4030170"


def test_tokens_that_expire(server: Emulator) -> None:
    """Each one after its uses, a newer one is as good as the first was."""
    server.faults = [faults.ExpiringTokens(uses=2)]
    user = {"name": "emulator-user", "password": "emulator-password"}
    identity = {"password": {"user": user | {"domain": {"name": "emulator-domain"}}}}
    asked = {"auth": {"identity": identity, "scope": {"project": {"name": "cn-north-4"}}}}
    for _ in range(2):
        issued = requests.post(server.url + "/v3/auth/tokens", json=asked, timeout=10)
        headers = {"X-Auth-Token": issued.headers["X-Subject-Token"]}
        responses = [requests.get(server.url + TAGS, headers=headers, timeout=10) for _ in "abc"]
        assert [response.status_code for response in responses] == [200, 200, 401]
        assert responses[-1].json()["error_code"] == "APIGW.0307"


@pytest.mark.parametrize(("skew", "passes"), [(0, True), (899, True), (902, False), (-902, False)])
def test_a_clock_that_is_wrong(skew: float, passes: bool) -> None:
    """A quarter of an hour is tolerated either way."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    request = Request("GET", TAGS, {"authorization": "signed", "x-sdk-date": stamp})
    response = rare_faults.skewed_clock(skew)(request, Response(200))
    assert response.status == (200 if passes else 401)


def test_a_repository_that_vanishes(server: Emulator, get: Get) -> None:
    """After so many of its pages, and no other one after it."""
    server.faults = [Vanishing(server.registry, pages=2)]
    other = "/v2/manage/namespaces/group/repos/tools$ci$runner/tags"
    paths = [TAGS, other, TAGS, TAGS, other, other]
    assert [get(path, **PAGE).status_code for path in paths] == [200, 200, 200, 404, 200, 200]


def test_a_registry_that_moves(server: Emulator, get: Get) -> None:
    """One change after each page of tags, and none after anything else."""
    server.faults = [Moving(server.registry, random.Random(7), lambda: AT)]
    kinds = set()
    before = {r["Tag"]: r["digest"] for r in get(TAGS, **PAGE).json()}
    for _ in range(30):
        get(REPOSITORIES, **PAGE)
        after = {r["Tag"]: r["digest"] for r in get(TAGS, offset=0, limit=100).json()}
        new, gone = after.keys() - before.keys(), before.keys() - after.keys()
        moved = {tag for tag in after.keys() & before.keys() if after[tag] != before[tag]}
        assert len(new) + len(gone) + len(moved) == 1
        kinds |= {kind for kind, found in zip("ngm", (new, gone, moved), strict=True) if found}
        before = after
    assert kinds == {"n", "g", "m"}


def odd(name: str) -> tuple[dict[str, Any], bytes]:
    """A record, and the text it becomes on the wire."""
    registry = Registry()
    record = registry.push("group", "busybox", "latest", '{"a": 1}', at=AT)
    with Emulator(registry) as server:
        strike(server, name)
        headers = {"X-Auth-Token": "emulator-token"}
        response = requests.get(server.url + TAGS, params=PAGE, headers=headers, timeout=20)
    assert response.headers["Content-Range"] == "0-1/1"
    assert (response.content[:1], response.content[-1:]) == (b"[", b"]")
    return record, response.content[1:-1]


WHOLE: dict[str, dict[str, Any]] = {
    "duplicate-ids": {"id": 1, "repo_id": 1},
    "unknown-fields": {"novelty": {"of": ["some", "kind"]}, "Digest": 5, "": None},
    "nonsense-update": {"updated": "the day before yesterday"},
    "nonsense-creation": {"created": "2026-02-30T25:61:00Z"},
    "size-beyond": {"size": 9223372036854775808},
    "lone-surrogate": {"Tag": "latest\ud83d"},
    "hostile-name": {"Tag": 'it\'s "50%" of ../..\\\n😀;--latest'},
}


@pytest.mark.parametrize("name", WHOLE)
def test_a_record_with_some_odd_fields(name: str) -> None:
    """The others stay as they are."""
    record, text = odd(name)
    assert json.loads(text) == record | WHOLE[name]


def test_a_record_with_fewer_fields() -> None:
    """All that is needed, or not even that."""
    record, text = odd("missing-fields")
    assert json.loads(text) == {
        name: record[name] for name in ("Tag", "digest", "manifest", "updated")
    }
    record, text = odd("missing-digest")
    assert record.keys() - json.loads(text).keys() == {"digest"}


def test_numbers_in_quotes() -> None:
    """Truth values too."""
    record, text = odd("numbers-as-text")
    changed = {name: value for name, value in json.loads(text).items() if value != record[name]}
    assert changed == {
        "id": "32900000",
        "repo_id": "3300000",
        "schema": "2",
        "size": "0",
        "is_trusted": "false",
        "scanned": "false",
        "tag_type": "0",
    }


def test_times_of_any_precision() -> None:
    """From none to nine digits of a second, of the same moment."""
    registry = Registry()
    for number in range(60):
        at = AT.replace(microsecond=0 if number % 2 else 120000)
        registry.push("group", "busybox", f"v{number}", "{}", at=at)
    with Emulator(registry) as server:
        strike(server, "fraction-digits")
        headers = {"X-Auth-Token": "emulator-token"}
        records = requests.get(server.url + TAGS, headers=headers, timeout=10).json()
    times = {record["Tag"]: record["updated"] for record in records}
    assert {len(time.partition(".")[2].rstrip("Z")) for time in times.values()} == set(range(10))
    for tag, text in times.items():
        at = AT.replace(microsecond=0 if int(tag[1:]) % 2 else 120000)
        assert datetime.fromisoformat(text) - at == timedelta(0)


def test_what_is_no_record() -> None:
    """A text, or a list, or a number."""
    _, text = odd("not-an-object")
    assert text == b'"latest"'


@pytest.mark.parametrize("name", ["huge-manifest", "deep-manifest", "largest-size"])
def test_a_manifest_out_of_bounds(name: str) -> None:
    """With the digest that its text has."""
    _, text = odd(name)
    record = json.loads(text)
    manifest = record["manifest"]
    bounds = {
        "huge-manifest": len(manifest) == 16 * 2**20 and json.loads(manifest) == {"a": 1},
        "deep-manifest": manifest.startswith("[" * 10_000) and manifest.endswith("]" * 10_000),
        "largest-size": record["size"] == 2**63 - 1
        and json.loads(manifest)["layers"][0]["size"] == 2**63 - 1,
    }
    assert bounds[name]


def test_texts_that_are_hardly_json() -> None:
    """A field of lists within lists; a byte that is no UTF-8."""
    _, text = odd("deep-record")
    assert text.endswith(b',"deep":' + b"[" * 10_000 + b"]" * 10_000 + b"}")
    record, text = odd("not-utf8")
    assert json.loads(text.replace(b"\xff", b"")) == record
    with pytest.raises(UnicodeDecodeError):
        text.decode()


def test_a_share_of_records_is_odd_and_always_the_same() -> None:
    """Chosen by name, not by chance."""
    registry = Registry()
    for number in range(200):
        registry.push("group", "busybox", f"v{number}", "{}", at=AT)
    draw = random.Random(1)
    with Emulator(registry) as server:
        server.faults = all_faults_by_name({"duplicate-ids": 0.2}, registry, draw)
        headers = {"X-Auth-Token": "emulator-token"}
        params = {"offset": 0, "limit": 1000}
        pages = [
            requests.get(server.url + TAGS, params=params, headers=headers, timeout=10).json()
            for _ in range(2)
        ]
    struck = [[record["Tag"] for record in page if record["id"] == 1] for page in pages]
    assert struck[0] == struck[1]
    assert 20 <= len(struck[0]) <= 60


def test_chance_strikes_its_share(server: Emulator, get: Get) -> None:
    """By the seed, so that it can be had again."""
    server.faults = all_faults_by_name({"error-502": 0.5}, server.registry, random.Random(3))
    expected = random.Random(3)
    drawn = [502 if expected.random() < 0.5 else 200 for _ in range(20)]
    assert [get(TAGS, **PAGE).status_code for _ in range(20)] == drawn


def test_every_fault_of_the_command_line_is_told_in_a_sentence() -> None:
    """On one line of help; the others are known to tests alone."""
    assert len(ODD_RECORDS) == 17
    assert len(ALL_FAULTS) == 40
    assert len(FAULTS) == 8
    for name, option in FAULTS.items():
        assert option.meaning.endswith("."), name
        assert 0 < option.share <= 1, name
