"""Arrays are cut into elements whatever one of these holds, and only if they are arrays."""

import json

import msgspec
import pytest

from pipelines.swr.json_arrays import array_elements

DEEP = b"[" * 100_000 + b"]" * 100_000
NO_UTF8 = b'{"\xff":'
HALF = b'{"Tag": "half \\ud83d", "of": ["a", "pair, \\"}]"]}'


@pytest.mark.parametrize(
    "odd",
    [DEEP, HALF, NO_UTF8 + DEEP + b"}", NO_UTF8 + HALF + b"}"],
    ids=["deep", "half", "odd deep", "odd half"],
)
def test_an_element_that_cannot_be_read_leaves_its_neighbours(odd: bytes) -> None:
    """Texts verbatim, but for the white space around them."""
    first, last = b'{"Tag": "a,[{\\"\\\\", "n": [1, {}]}', b'"]"'
    assert array_elements(b"[" + first + b",\n " + odd + b" ," + last + b"]") == [first, odd, last]
    assert array_elements(b"[" + odd + b"]\n") == [odd]


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"null", b"[1,", b"[1]]", b"[" + HALF, b"[" + DEEP, b"[" + DEEP + b"],[]",
     b'{"a":' + DEEP + b"}", b"[" + HALF + b"}", b'["\\ud83d" 1]', b"[" + DEEP + b"] x"],
)  # fmt: skip
def test_what_is_no_array_is_refused(body: bytes) -> None:
    """Also if it breaks off or goes on."""
    with pytest.raises(msgspec.MsgspecError):
        array_elements(body)


def test_a_plain_array_is_cut_like_any_other() -> None:
    """Both ways cut alike."""
    elements = [{"a": [1, "x,y"]}, [], "]", 5, None, True]
    body = json.dumps(elements).encode()
    texts = [json.dumps(element).encode() for element in elements]
    assert array_elements(body) == texts
    odd = json.dumps([*elements, "\ud83d"]).encode()
    assert array_elements(odd) == [*texts, b'"\\ud83d"']
