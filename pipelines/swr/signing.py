"""Huawei Cloud's request signature, SDK-HMAC-SHA256: made by `auth`, verified by the emulator.

Pure: knows strings and keys, no clock and no HTTP library. Whether a key is known and a date
recent is for the verifying side to judge.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, unquote, urlsplit

ALGORITHM = "SDK-HMAC-SHA256"
_DATE = "x-sdk-date"
_REQUIRED = {"host", _DATE}
_AUTHORIZATION = re.compile(
    ALGORITHM + r" Access=([^,\s]+), ?SignedHeaders=([^,\s]+), ?Signature=([0-9a-f]{64})"
)


@dataclass(frozen=True)
class Claim:
    """What an `Authorization` header says: whose key signed which headers, and the result."""

    access_key: str
    signed_headers: tuple[str, ...]
    signature: str


def authorization(
    *,
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    access_key: str,
    secret_key: str,
) -> str:
    """Sign a request and give the value of its `Authorization` header.

    Exactly the headers given are signed; send them as they are. The query of `url` may be encoded
    in any way, as signer and verifier both decode it first.

    Raises:
        ValueError: Host or X-Sdk-Date is not among the headers.
    """
    lower = {name.lower(): value.strip() for name, value in headers.items()}
    if not lower.keys() >= _REQUIRED:
        raise ValueError("a signed request needs the headers Host and X-Sdk-Date")
    canonical = _canonical_request(method, url, lower, body)
    to_sign = "\n".join((ALGORITHM, lower[_DATE], _sha256(canonical.encode())))
    signature = hmac.new(secret_key.encode(), to_sign.encode(), hashlib.sha256).hexdigest()
    names = ";".join(sorted(lower))
    return f"{ALGORITHM} Access={access_key}, SignedHeaders={names}, Signature={signature}"


def read_authorization(value: str) -> Claim:
    """Take an `Authorization` header apart.

    Raises:
        ValueError: it is none of this kind.
    """
    match = _AUTHORIZATION.fullmatch(value.strip())
    if match is None:
        raise ValueError(f"not an {ALGORITHM} authorization")
    return Claim(match[1], tuple(match[2].split(";")), match[3])


def is_authentic(
    claim: Claim,
    *,
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    secret_key: str,
) -> bool:
    """Tell whether a request as received bears the signature that its claim states."""
    received = {name.lower(): value for name, value in headers.items()}
    if not received.keys() >= set(claim.signed_headers) >= _REQUIRED:
        return False
    expected = authorization(
        method=method,
        url=url,
        headers={name: received[name] for name in claim.signed_headers},
        body=body,
        access_key=claim.access_key,
        secret_key=secret_key,
    )
    return hmac.compare_digest(claim.signature, read_authorization(expected).signature)


def _canonical_request(method: str, url: str, headers: Mapping[str, str], body: bytes) -> str:
    parts = urlsplit(url)
    # Decoded and encoded anew, so that `$` and `%24` sign alike; `%2F` thereby becomes `/`.
    path = quote(unquote(parts.path), safe="/~")
    names = sorted(headers)
    return "\n".join(
        (
            method.upper(),
            path if path.endswith("/") else path + "/",
            _canonical_query(parts.query),
            *(f"{name}:{headers[name]}" for name in names),
            "",
            ";".join(names),
            _sha256(body),
        )
    )


def _canonical_query(query: str) -> str:
    pairs = sorted(parse_qsl(query, keep_blank_values=True))
    return "&".join(f"{quote(name, safe='~')}={quote(value, safe='~')}" for name, value in pairs)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
