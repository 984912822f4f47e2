"""What references and image ids come to, as runtimes of all ages write them."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipelines.running.references import Reference, read_reference

HEX = "ab" * 32
DIGEST = f"sha256:{HEX}"
HOST = "swr.cn-north-4.myhuaweicloud.com"
APP = Reference(HOST, "team", "app", "v1")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{HOST}/team/app:v1", APP),
        (f"{HOST.upper()}/team/app:v1", APP),
        (f"{HOST}:443/team/app:v1", APP),
        (f" {HOST}/team/app:v1 ", APP),
        (f"https://{HOST}/team/app:v1", APP),
        (f"{HOST}/team/app", APP._replace(tag="latest")),
        (f"{HOST}/team/app@{DIGEST}", APP._replace(tag=None, digest=DIGEST)),
        (f"{HOST}/team/app:v1@{DIGEST}", APP._replace(digest=DIGEST)),
        (f"{HOST}/team/app:v1@{DIGEST.upper()}", APP._replace(digest=DIGEST)),
        (f"{HOST}/team/deep/er/app:v1", APP._replace(repository="deep/er/app")),
        (f"{HOST}/app:v1", Reference(HOST, None, "app", "v1")),
        ("10.125.0.198:20202/team/app:v1", APP._replace(host="10.125.0.198:20202")),
        ("[::1]:5000/team/app:v1", APP._replace(host="[::1]:5000")),
        ("localhost/team/app:v1", APP._replace(host="localhost")),
        ("nginx", Reference("docker.io", "library", "nginx", "latest")),
        ("nginx:1.27", Reference("docker.io", "library", "nginx", "1.27")),
        ("team/app:v1", APP._replace(host="docker.io")),
        ("index.docker.io/team/app:v1", APP._replace(host="docker.io")),
        (f"docker-pullable://{HOST}/team/app@{DIGEST}", APP._replace(tag=None, digest=DIGEST)),
        (f"containerd://{DIGEST}", Reference(digest=DIGEST)),
        (f"docker://{DIGEST}", Reference(digest=DIGEST)),
        (DIGEST, Reference(digest=DIGEST)),
        (HEX, Reference(digest=DIGEST)),
        # A tag of forty digits is no digest.
        (f"app:{HEX[:40]}", Reference("docker.io", "library", "app", HEX[:40])),
        ("", None),
        ("Team/app:v1", Reference("team", None, "app", "v1")),
        ("team/App:v1", None),
        ("team/app:", None),
        ("team/app:v1@", None),
        ("team/app@sha256:ab", None),
        ("team//app", None),
        ("team/app v1", None),
        ("NAME=value", None),
        ("swr.example:port/team/app", None),
        ("a" * 1001, None),
        ("te\x00am/app", None),
    ],
)
def test_a_reference_is_taken_apart(text: str, expected: Reference | None) -> None:
    """Into host, names, tag and digest; what is none is told from one."""
    assert read_reference(text, {}) == expected


@pytest.mark.parametrize(
    ("text", "aliases"),
    [
        ("mirror.local/team/app:v1", {"mirror.local": HOST}),
        ("mirror.local/proxy/team/app:v1", {"mirror.local": "none", "mirror.local/proxy": HOST}),
        ("team/app:v1", {"docker.io": HOST}),
        ("app:v1", {"docker.io/library": f"{HOST}/team"}),
        # Only whole parts of a name.
        (f"{HOST}/team/app:v1", {"swr": "none", f"{HOST}/te": "none"}),
    ],
)
def test_an_alias_stands_for_a_host(text: str, aliases: dict[str, str]) -> None:
    """The longest counts, and it may have a path."""
    assert read_reference(text, aliases) == APP


@given(st.text())
@example("A/0")
@example("Registry/team/app:v1")
def test_any_text_is_a_reference_or_none(text: str) -> None:
    """And what it comes to means the same when it is read again."""
    found = read_reference(text, {})
    if found is not None and len(str(found)) <= 1000:
        assert read_reference(str(found), {}) == found


@given(
    st.from_regex(r"\A[a-z0-9]{1,9}(\.[a-z0-9]{1,5}){1,3}(:[1-9]\d{0,3})?\Z"),
    st.from_regex(r"\A[a-z0-9]{1,9}(/[a-z0-9]{1,9}){1,3}\Z"),
    st.one_of(st.none(), st.from_regex(r"\A[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}\Z")),
    st.one_of(st.none(), st.just(DIGEST)),
)
def test_parts_come_back(host: str, path: str, tag: str | None, digest: str | None) -> None:
    """However they are put together."""
    text = f"{host}/{path}" + (f":{tag}" if tag else "") + (f"@{digest}" if digest else "")
    namespace, _, repository = path.partition("/")
    asked_for = tag or (None if digest else "latest")
    expected = Reference(host.removesuffix(":443"), namespace, repository, asked_for, digest)
    assert read_reference(text, {}) == expected
