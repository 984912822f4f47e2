"""No message that repeats a secret is shown, whatever form it has there."""

import base64
import html
import json
import string
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pipelines.swr.quoting import quotable

# As tokens, keys and passwords are: anything that can be printed.
SECRETS = st.text(string.ascii_letters + string.digits + string.punctuation, min_size=12)
FILLER = st.text(string.ascii_letters + string.digits + ' "{}:,/+-_', max_size=20)


def escaped(text: str) -> str:
    """Each character as JSON may write it."""
    return "".join(f"\\u{ord(character):04x}" for character in text)


def entities(text: str) -> str:
    """Each character as HTML may write it."""
    return "".join(f"&#x{ord(character):x};" for character in text)


def base64_of(text: str) -> str:
    """As a header of Basic would have it."""
    return base64.b64encode(text.encode()).decode()


FORMS: list[Callable[[str], str]] = [
    str,
    str.swapcase,
    lambda text: text[::-1],
    quote,
    lambda text: quote(quote(text, safe=""), safe=""),
    lambda text: "".join(f"%{ord(character):02x}" for character in text),
    html.escape,
    entities,
    lambda text: json.dumps(text)[1:-1],
    lambda text: json.dumps(json.dumps(text)),
    escaped,
    base64_of,
    lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
    lambda text: base64_of(text[::-1]),
    lambda text: base64_of(text)[::-1],
    lambda text: text.encode().hex(),
    lambda text: text.encode().hex(" ").upper(),
    lambda text: "".join(f"\\x{byte:02x}" for byte in text.encode()),
]


@settings(max_examples=300)
@given(SECRETS, st.sampled_from(FORMS), st.data())
def test_a_message_that_repeats_a_secret_is_not_quoted(
    secret: str, form: Callable[[str], str], data: st.DataObject
) -> None:
    """Whole or in part, at any place of the message, in base64 at any alignment."""
    begin = data.draw(st.integers(0, len(secret) - 12))
    part = secret[begin : begin + data.draw(st.integers(12, 40))]
    # Case is folded for letters and digits alone.
    assume(form is not str.swapcase or sum(map(str.isalnum, part)) >= 8)
    shifted = "x" * data.draw(st.integers(0, 2)) + part
    message = f"{data.draw(FILLER)} {form(shifted)} {data.draw(FILLER)}"
    assert quotable(message, {secret}, 2000) is None


@given(st.text(max_size=500), SECRETS)
def test_what_is_quoted_is_one_short_line_without_a_run_of_a_secret(text: str, secret: str) -> None:
    """Whatever comes."""
    shown = quotable(text, {secret})
    if shown is not None:
        assert shown.isprintable()
        assert len(shown) <= 300
        assert not any(secret[at : at + 8] in shown for at in range(len(secret) - 7))


@pytest.mark.parametrize(
    "message",
    [
        "Incorrect IAM authentication information: verify aksk signature fail",
        "Incorrect IAM authentication information: decrypt token fail",
        "The throttling threshold has been reached: policy user over ratelimit,limit:60",
        "Insufficient permissions",
    ],
)
def test_what_the_services_say_is_quoted(message: str) -> None:
    """With secrets as they are issued."""
    secrets = {"MIIRgwYJKoZIhvcNAQcCoIIRdDCCEXACAQExDTALBglghkgBZQMEAgEwgg+VBgkqhkiG9w0BBwGggg",
               "s3cret/k+y of fifty", "3c1f0e9d8b7a"}  # fmt: skip
    assert quotable(message, secrets) == message


def test_short_secrets_are_recognised_whole() -> None:
    """A password may have five letters; what is shorter than four is in every other word."""
    assert quotable("the password hGj4! is wrong", {"hGj4!"}) is None
    assert quotable("the password is wrong", {"is"}) == "the password is wrong"
