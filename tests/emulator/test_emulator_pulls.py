"""The emulator's registry: temporary logins, tokens, and what can be pulled with them."""

import base64
import hashlib
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
import requests

from pipelines.emulator import faults
from pipelines.emulator.registry import Registry
from pipelines.emulator.server import Emulator

LOGIN = "/v2/manage/utils/secret"
REALM = "/swr/auth/v2/registry/auth/"
REPOSITORY = "group/tools/ci/runner"
AT = datetime(2026, 3, 9, 9, 30, tzinfo=UTC)
API_TOKEN = {"X-Auth-Token": "emulator-token"}
DENIED = {"errors": [{"code": "DENIED", "message": "Authenticate Error"}]}
Pull = Callable[..., requests.Response]


def digest_of(text: str) -> str:
    """The digest of a manifest."""
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def login(server: Emulator, **query: str) -> requests.Response:
    """Ask for a temporary login."""
    return requests.post(server.url + LOGIN, params=query, headers=API_TOKEN, timeout=10)


def basic(server: Emulator) -> dict[str, str]:
    """The header of a new login."""
    host = urlsplit(server.url).netloc
    return {"Authorization": f"Basic {login(server).json()['auths'][host]['auth']}"}


def ask_token(
    server: Emulator,
    repository: str = REPOSITORY,
    headers: dict[str, str] | None = None,
    actions: str = "pull",
) -> requests.Response:
    """Ask for a token for a repository."""
    query = {"service": "dockyard", "scope": f"repository:{repository}:{actions}"}
    return requests.get(server.url + REALM, params=query, headers=headers or {}, timeout=10)


def bearer(server: Emulator, repository: str = REPOSITORY, actions: str = "pull") -> dict[str, str]:
    """The header of a new token."""
    answer = ask_token(server, repository, basic(server), actions)
    assert answer.status_code == 200
    return {"Authorization": f"Bearer {answer.json()['token']}"}


@pytest.fixture
def pull(server: Emulator) -> Pull:
    """Ask for something of a repository, with a token for it and whatever else is given."""

    def ask(
        rest: str, repository: str = REPOSITORY, method: str = "GET", accept: str = "*/*"
    ) -> requests.Response:
        headers = bearer(server, repository) | {"Accept": accept}
        url = f"{server.url}/v2/{repository}/{rest}"
        return requests.request(method, url, headers=headers, allow_redirects=False, timeout=10)

    return ask


def test_a_login_is_an_authfile_for_this_registry(server: Emulator) -> None:
    """Its host is the key; the command and the end of the login are headers."""
    answer = login(server, projectname="eu-west-101", duration_seconds="900")
    host = urlsplit(server.url).netloc
    assert answer.status_code == 200
    assert list(answer.json()) == ["auths"]
    assert list(answer.json()["auths"]) == [host]
    user, _, password = (
        base64.b64decode(answer.json()["auths"][host]["auth"]).decode().partition(":")
    )
    assert user.startswith("eu-west-101@")
    assert len(password) == 64
    assert answer.headers["X-Swr-Dockerlogin"] == f"docker login -u {user} -p {password} {host}"
    ends = datetime.fromisoformat(answer.headers["X-Swr-Expireat"])
    assert abs(ends - datetime.now(UTC) - timedelta(seconds=900)) < timedelta(minutes=1)
    assert login(server).text != answer.text


@pytest.mark.parametrize("seconds", ["899", "86401", "-900", "soon", "", "1e3"])
def test_a_login_lasts_a_quarter_of_an_hour_to_a_day(server: Emulator, seconds: str) -> None:
    """Anything else cannot be asked for."""
    refused = login(server, duration_seconds=seconds)
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["errorCode"] == "SVCSTG.SWR.4001025"


def test_a_login_needs_credentials_and_the_permission(registry: Registry) -> None:
    """The former are judged as for any call; the latter may not be granted."""
    with Emulator(registry, grants_logins=False) as server:
        stranger = requests.post(server.url + LOGIN, timeout=10)
        assert (stranger.status_code, stranger.json()["error_code"]) == (401, "APIGW.0301")
        refused = login(server)
        assert (refused.status_code, refused.json()["error_code"]) == (403, "SVCSTG.SWR.4030170")


@pytest.mark.parametrize(
    ("path", "scope"),
    [
        ("/v2/", ""),
        (f"/v2/{REPOSITORY}/manifests/v1", f',scope="repository:{REPOSITORY}:"'),
        (f"/v2/{REPOSITORY}/tags/list", f',scope="repository:{REPOSITORY}:"'),
        (f"/v2/{REPOSITORY}/blobs/sha256:0", f',scope="repository:{REPOSITORY}:"'),
    ],
)
def test_who_has_no_token_is_shown_where_to_get_one(
    server: Emulator, path: str, scope: str
) -> None:
    """The scope names no action; a login itself opens nothing."""
    challenged = requests.get(server.url + path, timeout=10)
    assert challenged.status_code == 401
    assert challenged.headers["Www-Authenticate"] == (
        f'Bearer realm="{server.url}{REALM}",service="dockyard"{scope}'
    )
    assert challenged.json()["errors"][0]["code"] == "UNAUTHORIZED"
    direct = requests.get(server.url + path, headers=basic(server), timeout=10)
    assert (direct.status_code, direct.json()) == (401, DENIED)


def test_a_token_opens_its_own_repository(server: Emulator) -> None:
    """And the version; no other repository, and nothing if pulling was not asked for."""
    mine = bearer(server)
    paths = ("/v2/", f"/v2/{REPOSITORY}/manifests/v1", "/v2/group/busybox/manifests/edge")
    asked = [requests.get(server.url + path, headers=mine, timeout=10) for path in paths]
    assert [answer.status_code for answer in asked] == [200, 200, 401]
    idle = bearer(server, actions="")
    asked = [requests.get(server.url + path, headers=idle, timeout=10) for path in paths]
    assert [answer.status_code for answer in asked] == [200, 401, 401]


def test_a_token_expires(registry: Registry) -> None:
    """Then a new one has to be asked for; the login is still good."""
    with Emulator(registry, pull_token_lifetime_seconds=0.2) as server:
        known = basic(server)
        path = f"{server.url}/v2/{REPOSITORY}/tags/list"
        for _ in range(2):
            token = ask_token(server, headers=known).json()["token"]
            headers = {"Authorization": f"Bearer {token}"}
            assert requests.get(path, headers=headers, timeout=10).status_code == 200
            time.sleep(0.25)
            expired = requests.get(path, headers=headers, timeout=10)
            assert expired.status_code == 401
            assert "Www-Authenticate" in expired.headers


def test_tokens_are_refused_to_strangers(server: Emulator, registry: Registry) -> None:
    """Except for what is public; an organization that is not there is said to be missing."""
    refused = ask_token(server)
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (401, "DENIED")
    registry.describe("group", "tools/ci/runner", is_public=True, download_count=0)
    assert ask_token(server).status_code == 200
    wrong = base64.b64encode(b"cn-north-4@KEY:wrong").decode()
    for header in (f"Basic {wrong}", "Basic ???", "Bearer abc"):
        refused = ask_token(server, headers={"Authorization": header})
        assert (refused.status_code, refused.json()) == (401, DENIED)
    missing = ask_token(server, "absent/tools", basic(server))
    message = "Image organization does not exist"
    assert missing.status_code == 401
    assert missing.json() == {"errors": [{"code": "DENIED", "message": message}]}
    posted = requests.post(server.url + REALM, headers=basic(server), timeout=10)
    assert (posted.status_code, posted.json()["error_code"]) == (404, "APIGW.0101")


def test_a_manifest_is_pulled_by_tag_and_by_digest(registry: Registry, pull: Pull) -> None:
    """Verbatim, with the type that it states."""
    text = '{ "schemaVersion":2,\n"mediaType":"application/vnd.oci.image.index.v1+json","x":"ö"}'
    registry.push("group", "tools/ci/runner", "v2", text, at=AT)
    for reference in ("v2", digest_of(text)):
        answer = pull(f"manifests/{reference}")
        assert (answer.status_code, answer.content.decode()) == (200, text)
        assert answer.headers["Docker-Content-Digest"] == digest_of(text)
        assert answer.headers["Content-Type"] == "application/vnd.oci.image.index.v1+json"
        head = pull(f"manifests/{reference}", method="HEAD")
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["Content-Length"] == str(len(text.encode()))
        assert head.headers["Docker-Content-Digest"] == digest_of(text)


def test_a_manifest_without_a_tag_is_there_until_it_is_removed(
    registry: Registry, pull: Pull
) -> None:
    """In its own repository; repositories are made where missing."""
    child = '{"schemaVersion": 2, "config": {}}'
    digest = registry.store_manifest("group", "new/one", child)
    assert digest == digest_of(child)
    assert pull(f"manifests/{digest}", "group/new/one").text == child
    assert pull(f"manifests/{digest}").status_code == 404
    assert pull("tags/list", "group/new/one").json()["tags"] == []
    registry.remove_manifest("group", "new/one", digest)
    missing = pull(f"manifests/{digest}", "group/new/one")
    assert missing.status_code == 404
    assert missing.json()["errors"][0]["code"] == "MANIFEST_UNKNOWN"
    with pytest.raises(KeyError):
        registry.remove_manifest("group", "new/one", digest)


def test_what_is_stored_counts_for_more_than_what_a_record_says(
    registry: Registry, pull: Pull
) -> None:
    """A record with a cut text, or with none, whose manifest the registry has whole."""
    whole = '{"schemaVersion": 2, "layers": []}'
    for tag, text in (("cut", whole[:9]), ("empty", "")):
        registry.push("group", "tools/ci/runner", tag, text, at=AT, digest=digest_of(whole))
    assert pull("manifests/cut").text == whole[:9]
    assert pull("manifests/empty").status_code == 404
    registry.store_manifest("group", "tools/ci/runner", whole)
    for reference in ("cut", "empty", digest_of(whole)):
        assert pull(f"manifests/{reference}").text == whole


def test_a_manifest_can_lie_about_its_digest(registry: Registry, pull: Pull) -> None:
    """Kept by a name that its text has not."""
    claimed = digest_of("something else")
    assert registry.store_manifest("group", "tools/ci/runner", "{}", digest=claimed) == claimed
    assert pull(f"manifests/{claimed}").text == "{}"


def test_the_digest_may_be_left_out(registry: Registry) -> None:
    """As registries do."""
    with Emulator(registry, states_digests=False) as server:
        url = f"{server.url}/v2/{REPOSITORY}/manifests/v1"
        answer = requests.get(url, headers=bearer(server), timeout=10)
    assert answer.status_code == 200
    assert "Docker-Content-Digest" not in answer.headers


@pytest.mark.parametrize(
    ("manifest", "media_type"),
    [
        ('{"mediaType": "application/x", "schemaVersion": 2}', "application/x"),
        ('{"manifests": []}', "application/vnd.oci.image.index.v1+json"),
        ('{"config": {}}', "application/vnd.oci.image.manifest.v1+json"),
        ('{"schemaVersion": 1}', "application/vnd.docker.distribution.manifest.v1+json"),
        (
            '{"schemaVersion": 1, "signatures": []}',
            "application/vnd.docker.distribution.manifest.v1+prettyjws",
        ),
        ("[]", "application/octet-stream"),
        ("{", "application/octet-stream"),
    ],
)
def test_a_manifest_is_given_to_those_who_accept_its_type(
    registry: Registry, pull: Pull, manifest: str, media_type: str
) -> None:
    """Which is told by its looks where it does not state it."""
    registry.push("group", "tools/ci/runner", "v2", manifest, at=AT)
    for accepted in ("*/*", f"application/json, {media_type}"):
        answer = pull("manifests/v2", accept=accepted)
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, media_type)
    refused = pull("manifests/v2", accept="application/json")
    assert refused.status_code == 404
    assert refused.json()["errors"][0]["code"] == "MANIFEST_UNKNOWN"


def test_tags_are_listed_page_by_page(server: Emulator, pull: Pull) -> None:
    """By name; each page leads to the next."""
    everything = ["1.0", "1.1", "2.0", "edge", "latest"]
    whole = pull("tags/list", "group/busybox")
    assert whole.json() == {"name": "group/busybox", "tags": everything}
    assert "Link" not in whole.headers
    path, pages = "/v2/group/busybox/tags/list?n=2", []
    while path:
        page = requests.get(server.url + path, headers=bearer(server, "group/busybox"), timeout=10)
        pages.append(page.json()["tags"])
        path = page.links["next"]["url"] if page.links else ""
    assert pages == [everything[:2], everything[2:4], everything[4:]]
    assert pull("tags/list?n=x", "group/busybox").status_code == 400
    missing = pull("tags/list", "group/absent")
    assert (missing.status_code, missing.json()["errors"][0]["code"]) == (404, "NAME_UNKNOWN")


def test_a_blob_is_elsewhere(registry: Registry, pull: Pull) -> None:
    """A redirect leads to it, which takes no other credential than what is in its address."""
    digest = registry.store_blob("group", "tools/ci/runner", b"content")
    assert digest == digest_of("content")
    for method, content in (("GET", b"content"), ("HEAD", b"")):
        redirect = pull(f"blobs/{digest}", method=method)
        address = redirect.headers["Location"]
        assert (redirect.status_code, redirect.content) == (307, b"")
        found = requests.request(method, address, timeout=10)
        assert (found.status_code, found.content) == (200, content)
        assert found.headers["Content-Length"] == "7"
        both = requests.request(method, address, headers={"Authorization": "Bearer x"}, timeout=10)
        assert both.status_code == 400
        forged = requests.request(method, address[:-1] + "x", timeout=10)
        assert forged.status_code == 403


def test_of_a_blob_without_content_the_size_is_known(registry: Registry, pull: Pull) -> None:
    """If a manifest beside it states it, or it was told; what is stored elsewhere only is not."""
    digests = [digest_of(name) for name in ("layer", "config", "foreign", "told", "unknown")]
    layers = [
        {"digest": digests[0], "size": 70},
        {"digest": digests[2], "size": 71, "urls": ["https://elsewhere.example"]},
        "nonsense",
    ]
    manifest = {"config": {"digest": digests[1], "size": 80}, "layers": layers}
    registry.push("group", "tools/ci/runner", "v2", json.dumps(manifest), at=AT)
    registry.describe_blob("group", "tools/ci/runner", digests[3], 90)
    sizes: list[str | None] = []
    for digest in digests:
        assert pull(f"blobs/{digest}").status_code == 404
        redirect = pull(f"blobs/{digest}", method="HEAD")
        if redirect.status_code == 404:
            sizes.append(None)
            continue
        found = requests.head(redirect.headers["Location"], timeout=10)
        sizes.append(found.headers["Content-Length"])
    assert sizes == ["70", "80", None, "90", None]


def test_object_storage_can_be_another_host(registry: Registry) -> None:
    """One that the client has no business to send a token to."""
    digest = registry.store_blob("group", "tools/ci/runner", b"content")
    with Emulator(registry, has_own_storage_port=True) as server:
        assert server.storage_url != server.url
        url = f"{server.url}/v2/{REPOSITORY}/blobs/{digest}"
        redirect = requests.get(url, headers=bearer(server), allow_redirects=False, timeout=10)
        assert redirect.headers["Location"].startswith(server.storage_url + "/")
        assert requests.get(redirect.headers["Location"], timeout=10).content == b"content"
        assert server.log[-1].path == f"/object-storage/{REPOSITORY}/{digest}"


def test_faults_speak_as_a_registry_does(server: Emulator) -> None:
    """To those who pull: no access, and too many requests."""
    for fault, expected in (
        (faults.forbidden("group"), (403, "DENIED")),
        (faults.throttled, (429, "TOOMANYREQUESTS")),
    ):
        headers = bearer(server)
        server.faults = [fault]
        url = f"{server.url}/v2/{REPOSITORY}/manifests/v1"
        refused = requests.get(url, headers=headers, timeout=10)
        server.faults = []
        assert (refused.status_code, refused.json()["errors"][0]["code"]) == expected


@pytest.mark.parametrize("path", ["/v2/_catalog", REALM[:-1], "/v2/group/manifests/v1"])
def test_there_is_no_more_to_it(server: Emulator, path: str) -> None:
    """No catalogue of all repositories, and no repository without a namespace."""
    answer = requests.get(server.url + path, headers=bearer(server), timeout=10)
    assert (answer.status_code, answer.json()["error_code"]) == (404, "APIGW.0101")


@pytest.mark.parametrize("method", ["HEAD", "POST", "OPTIONS", "TRACE", "BREW"])
@pytest.mark.parametrize("path", ["/", "/v2/", "/v2/manage/namespaces", "/v2/manage/repos/"])
def test_the_gateway_answers_every_method(server: Emulator, method: str, path: str) -> None:
    """In JSON; the body of an answer to HEAD is left out."""
    answer = requests.request(method, server.url + path, timeout=10)
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.status_code in {401, 404, 501}
    assert (answer.content == b"") == (method == "HEAD")
