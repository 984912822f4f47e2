"""Arrays and objects are cut into parts whatever one of these holds, in linear time."""

import json
import time
from collections.abc import Callable
from contextlib import suppress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.swr.json_parts import array_elements, object_members

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
     b'{"a":' + DEEP + b"}", b"[" + HALF + b"}", b'["\\ud83d" 1]', b"[" + DEEP + b"] x",
     b"[" + HALF + b"]2]"],
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


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(st.lists(VALUES), st.booleans())
def test_every_array_is_cut_into_its_elements(elements: list[object], spaced: bool) -> None:
    """By the decoder and, beside an element it cannot read, by the brackets alike."""
    separators = (" ,\n", " : ") if spaced else (",", ":")
    texts = [json.dumps(element, separators=separators).encode() for element in elements]
    assert array_elements(b"[" + b" ,\t".join(texts) + b"]") == texts
    assert array_elements(b"[" + b",".join([*texts, HALF]) + b"\n]") == [*texts, HALF]


@given(st.dictionaries(st.text(), VALUES))
def test_every_object_is_cut_into_its_members(members: dict[str, object]) -> None:
    """Whatever one of them holds."""
    texts = {name: json.dumps(value).encode() for name, value in members.items()} | {"deep": DEEP}
    joined = b",".join(json.dumps(name).encode() + b" : " + text for name, text in texts.items())
    assert object_members(b" {" + joined + b"}") == texts


@pytest.mark.parametrize("distance", range(-6, 7))
@pytest.mark.parametrize("text", [b'x\\\\\\",]"', b'x\\\\"', b'x\\\\\\\\\\"]"', b'x","y"'])
def test_what_is_looked_at_piece_by_piece_is_cut_as_a_whole(text: bytes, distance: int) -> None:
    """Escapes and brackets around each place where a piece of one megabyte may end."""
    first = b'"' + b"." * (2**20 - 2 + distance)
    assert array_elements(b"[" + first + text + b",{}," + HALF + b"]") == [
        *(first + text).replace(b'","', b'"\0"').split(b"\0"),
        b"{}",
        HALF,
    ]


@pytest.mark.parametrize(
    "text", [b"", b"[]", b'{"a":1', b'{"a":1,}', b"{1:2}", b'{"a":[}', b"{]", b'{"a":1}"b":2}']
)
def test_what_is_no_object_is_refused(text: bytes) -> None:
    """Also if it breaks off or its brackets do not match."""
    with pytest.raises(msgspec.MsgspecError):
        object_members(text)


def test_a_name_that_is_no_text_costs_its_member_alone() -> None:
    """And of two members of one name the later counts, as for every other reader."""
    assert object_members(b'{"\xff": 1, "a": 2, "\\ud83d": 3, "a": 4}') == {"a": b"4"}
    assert object_members(b" {}\n") == {}


HOSTILE = {
    "brackets and an unended string": lambda size: b"[" * size + b'"' + b'\\"' * size,
    "an unended string": lambda size: b'["' + b'\\"' * size + b"\\",
    "many unended strings": lambda size: b'["\\ud83d",' + b'"\\"' * size,
    "brackets that never close": lambda size: b"[{" * size,
    "a long number": lambda size: b'["\\ud83d",' + b"1" * size + b"]",
    "members without names": lambda size: b'[{"a":' + b"{" * size + b"," * size,
    "commas": lambda size: b"[" + b"," * size + b"]",
}


def seconds(body: bytes, cut: Callable[[bytes], object]) -> float:
    """Processor time to cut a text, or to refuse it; the least of three tries."""
    tries = []
    for _ in range(3):
        begun = time.process_time()
        with suppress(msgspec.MsgspecError):
            cut(body)
        tries.append(time.process_time() - begun)
    return min(tries)


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.parametrize("cut", [array_elements, object_members])
def test_time_grows_with_the_text_and_no_faster(
    hostile: Callable[[int], bytes], cut: Callable[[bytes], object]
) -> None:
    """Eight times the text takes about eight times as long, not sixty-four times."""
    assert seconds(hostile(160_000), cut) < 24 * (seconds(hostile(20_000), cut) + 0.001)
