"""A registry on raw sockets that answers for one repository at a time as no server should.

Each wrong answer is a sequence of bytes to send and of seconds to wait; then the connection ends.
`UNUSUAL` are lawful, however rare, and have to be read.
"""

import gzip
import html
import json
import socket
import struct
import threading
import zlib
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from itertools import repeat
from typing import NamedTuple
from urllib.parse import quote

from pipelines.emulator.messages import Request, Response
from pipelines.emulator.registry import Registry
from pipelines.emulator.server import Emulator

TOKEN = "MIIkeep-this/one+to yourself=0123456789"
AT = datetime(2026, 3, 1, tzinfo=UTC)
# Shorter than any test waits; the client's timeout is to be shorter still.
PAUSE = 0.05
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
_ELSEWHERE = b"http://127.0.0.1:1/"
_MB = b"x" * 2**20

# Takes the right body; gives what to send, pauses in between, None for a reset.
Answer = Callable[[bytes], Iterable[bytes | float | None]]


class Sent(NamedTuple):
    """One request that arrived: its path and how often that path was asked for before."""

    path: str
    before: int


def _head(status: int, *lines: bytes) -> bytes:
    return b"\r\n".join([b"HTTP/1.1 %d Whatever" % status, b"Connection: close", *lines, b""])


def _whole(body: bytes, status: int = 200, *lines: bytes) -> bytes:
    return _head(status, *lines) + b"Content-Length: %d\r\n\r\n" % len(body) + body


def says(body: bytes, status: int = 200, *lines: bytes) -> Answer:
    """The same whole answer, whatever is right."""
    return lambda _: [_whole(body, status, *lines)]


def refuses(message: str, status: int = 400) -> Answer:
    """An error that says something."""
    error = {"error_code": "SVCSTG.SWR.4000014", "error_msg": f"no: {message}"}
    return says(json.dumps(error).encode(), status)


def raw(*pieces: bytes | float | None) -> Answer:
    """These bytes and pauses."""
    return lambda _: pieces


def packed(body: bytes, kind: bytes = b"gzip") -> bytes:
    """A whole answer in a packed form."""
    return _whole(body, 200, b"Content-Encoding: " + kind)


def bomb(times: int = 64) -> bytes:
    """A small body that unpacks to so many megabytes of blanks within a list."""
    packer = zlib.compressobj(wbits=31)
    parts = [packer.compress(b"["), *(packer.compress(b" " * 2**20) for _ in range(times))]
    return b"".join([*parts, packer.compress(b"]"), packer.flush()])


def _endless(head: bytes, piece: bytes) -> Answer:
    return lambda _: (part for parts in ((head,), repeat(piece)) for part in parts)


def _slowly(whole: Callable[[bytes], bytes]) -> Answer:
    """A byte now and then, for ever in proportion to any timeout."""

    def pieces(body: bytes) -> Iterator[bytes | float | None]:
        for byte in whole(body):
            yield bytes([byte])
            yield PAUSE

    return pieces


_STATUSES = (
    *(300, 301, 302, 303, 304, 307, 308, 400, 402, 403, 404, 405, 406, 408, 409, 410, 411, 413),
    *(414, 415, 416, 417, 418, 421, 422, 423, 425, 426, 428, 429, 431, 451, 499, 500, 501, 502),
    *(
        503,
        504,
        505,
        507,
        508,
        511,
        520,
        521,
        522,
        523,
        524,
        525,
        526,
        527,
        529,
        530,
        599,
        600,
        999,
    ),
)
_STATUS_ANSWERS: Mapping[str, Answer] = {
    f"status-{status}": says(b"<html>WAF</html>", status, b"Location: " + _ELSEWHERE)
    for status in _STATUSES
}
_BODIES: Mapping[str, Answer] = {
    "html": says(b"<html>maintenance</html>"),
    "object": says(b"{}"),
    "wrapped": says(b'{"tags":[]}'),
    "text": says(b'"[]"'),
    "number": says(b"0"),
    "broken-word": says(b"nul"),
    "nothing-but-a-mark": says(b"\xef\xbb\xbf<"),
    "wide-characters": lambda body: [_whole(body.decode().encode("utf-16"))],
    "zeros": says(bytes(5000)),
    "half": lambda body: [_whole(body[: len(body) // 2])],
    "two-values": lambda body: [_whole(body + body)],
    "deep": says(b"[" * 100_000),
    "deep-and-closed": says(b"[" * 100_000 + b"]" * 100_000 + b","),
    "many-parts": says(b"[" + b"0," * 200_000 + b"0]"),
    "many-objects": says(b"[" + b"{}," * 200_000 + b"{}]"),
    "bomb": lambda _: [packed(bomb())],
    "bomb-deflate": lambda _: [packed(zlib.compress(b" " * 2**24), b"deflate")],
    "packed-no-more": lambda _: [packed(b"[]")],
    "packed-half": lambda body: [packed(gzip.compress(body)[:20])],
    "large": says(b"[" + _MB * 3 + b"]"),
    "endless": _endless(_head(200) + b"\r\n", _MB),
    "endless-chunks": _endless(_head(200) + _CHUNKED, b"100000\r\n" + _MB + b"\r\n"),
}
_LENGTHS: Mapping[str, Answer] = {
    "breaks-off": lambda body: [_head(200) + b"Content-Length: 999999\r\n\r\n", body],
    "huge-length": lambda body: [_head(200) + b"Content-Length: 99999999999999\r\n\r\n", body],
    "odd-length": lambda body: [_head(200) + b"Content-Length: many\r\n\r\n" + body[:-1]],
    "two-lengths": lambda body: [
        _head(200, b"Content-Length: 5") + b"Content-Length: 7\r\n\r\n" + body
    ],
    "no-chunk-size": raw(_head(200) + _CHUNKED + b"zz\r\n[]\r\n0\r\n\r\n"),
    "negative-chunk": raw(_head(200) + _CHUNKED + b"-5\r\n[]\r\n0\r\n\r\n"),
    "chunk-breaks-off": raw(_head(200) + _CHUNKED + b"ff\r\n[{"),
    "no-last-chunk": raw(_head(200) + _CHUNKED + b"1\r\n[\r\n"),
}
_CONNECTIONS: Mapping[str, Answer] = {
    "hangs-up": raw(),
    "resets": raw(None),
    "resets-in-the-head": raw(b"HTTP/1.1 200 OK\r\nContent-", None),
    "resets-in-the-body": lambda body: [_whole(body)[:-4], None],
    "hangs-up-in-the-head": raw(b"HTTP/1.1 200 OK\r\nContent-"),
    "other-protocol": raw(b"SSH-2.0-OpenSSH_9.6\r\n"),
    "noise": raw(bytes(range(256)) * 20),
    "encrypted": raw(b"\x15\x03\x03\x00\x02\x02\x28"),
    "no-status": raw(b"HTTP/1.1 \r\n\r\n[]"),
    "odd-status": raw(b"HTTP/1.1 two hundred\r\n\r\n[]"),
    "silent": raw(3.0),
    "silent-after-the-head": raw(_head(200) + b"Content-Length: 10\r\n\r\n", 3.0),
    "slow-head": _slowly(lambda body: _whole(body, 200, b"X-Filler: " + b"x" * 500)),
    "slow-body": _slowly(lambda body: _whole(b" " * 500 + body)),
    "endless-head": _endless(_head(200), b"X-Filler: " + b"x" * 9000 + b"\r\n"),
    "endless-line": _endless(_head(200) + b"X-Filler: ", _MB),
    "endless-early-hints": _endless(b"", b"HTTP/1.1 103 Early Hints\r\nLink: </>\r\n\r\n"),
    "switches-protocols": raw(_head(101, b"Upgrade: h2c") + b"\r\n"),
    "redirects-to-itself": says(b"", 302, b"Location: /"),
}
_WORDS: Mapping[str, Answer] = {
    "repeats-the-token": refuses(TOKEN),
    "repeats-its-end": refuses(TOKEN[-11:]),
    "repeats-its-middle": refuses(f"it begins with {TOKEN[5:14]}", 403),
    "repeats-it-in-base64": refuses(b64encode(b"ab" + TOKEN.encode()).decode()),
    "repeats-it-in-hex": refuses(TOKEN.encode().hex()),
    "repeats-it-backwards": refuses(TOKEN[::-1], 409),
    "repeats-it-in-percent": refuses("".join(f"%{ord(c):02X}" for c in TOKEN)),
    "repeats-it-in-entities": refuses("".join(f"&#{ord(c)};" for c in TOKEN)),
    "repeats-it-quoted": refuses(quote(html.escape(TOKEN), safe="")),
    "repeats-it-as-type": says(b"[", 200, b"Content-Type: " + TOKEN.encode()),
    "repeats-it-as-id": says(b"{}", 400, b"X-Request-Id: " + TOKEN.encode()),
    "markup": refuses("[/red] [bold] [link=http://example.com]x[/link]"),
    "escape-sequences": refuses("\x1b[2J\x1b]0;title\x07\r\n\tX: y"),
    "long-words": refuses("word " * 9000),
    "huge-words": refuses("word " * 100_000),
    "waits-for-ever": says(b"", 429, b"Retry-After: " + b"9" * 400),
    "waits-for-nobody": says(b"", 503, b"Retry-After: soon"),
    "waits-till-doom": says(b"", 503, b"Retry-After: Fri, 31 Dec 9999 23:59:59 GMT"),
}
WRONG: Mapping[str, Answer] = {**_STATUS_ANSWERS, **_BODIES, **_LENGTHS, **_CONNECTIONS, **_WORDS}

_MANY_HEADERS = [b"X-Filler-%d: x" % number for number in range(150)]
UNUSUAL: Mapping[str, Answer] = {
    "status-203": lambda body: [_whole(body, 203)],
    "status-206": lambda body: [_whole(body, 206)],
    "status-299": lambda body: [_whole(body, 299)],
    "byte-order-mark": lambda body: [_whole(b"\xef\xbb\xbf" + body + b"\r\n")],
    "early-hints": lambda body: [b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + _whole(body)],
    "many-early-hints": lambda body: [b"HTTP/1.1 102 Wait\r\n\r\n" * 50 + _whole(body)],
    "many-headers": lambda body: [_whole(body, 200, *_MANY_HEADERS)],
    "long-header": lambda body: [_whole(body, 200, b"X-Filler: " + b"x" * 100_000)],
    "packed": lambda body: [packed(gzip.compress(body))],
    "chunks-of-one": lambda body: [
        _head(200) + _CHUNKED,
        b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n",
    ],
    "to-the-end": lambda body: [_head(200) + b"\r\n" + body],
    "no-type": lambda body: [_whole(body)],
    "html-type": lambda body: [_whole(body, 200, b"Content-Type: text/html")],
    "old-protocol": lambda body: [b"HTTP/1.0 200 OK\r\n\r\n" + body],
    "date-that-is-none": lambda body: [_whole(body, 200, b"Date: yesterday")],
    "odd-total": lambda body: [_whole(body, 200, b"Content-Range: bytes 0-1/x")],
}


def wrong_registry(names: Iterable[str]) -> Registry:
    """A namespace with a repository for each name, and one with three that are answered well."""
    registry = Registry()
    owners = [("wrong", name) for name in names] + [("fair", name) for name in "abc"]
    for number, (namespace, name) in enumerate(owners):
        registry.push(namespace, name, "1", "{}", at=AT + timedelta(seconds=number))
    return registry


@contextmanager
def answering(registry: Registry, wrong: Callable[[Request], Answer | None]) -> Iterator[str]:
    """Serve a registry, with wrong answers where there are some; give its address."""
    right = Emulator(registry, token=TOKEN)
    stopping = threading.Event()

    def serve(connection: socket.socket) -> None:
        with suppress(OSError), connection:
            request = _request(connection)
            _send(connection, _pieces(right.answer(request), wrong(request)), stopping)

    def accept() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        accepting = threading.Thread(target=accept)
        accepting.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        stopping.set()
        listener.shutdown(socket.SHUT_RDWR)
        accepting.join()


def _request(connection: socket.socket) -> Request:
    received = b""
    while b"\r\n\r\n" not in received:
        if not (piece := connection.recv(65536)):
            raise ConnectionError
        received += piece
    first, *lines = received.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    method, target, _ = first.split(" ")
    return Request(method, target, {name.lower(): text for name, text in headers.items()})


def _pieces(right: Response, wrong: Answer | None) -> Iterable[bytes | float | None]:
    if wrong is not None:
        return wrong(right.body)
    lines = [f"{name}: {text}".encode() for name, text in right.headers.items()]
    return [_whole(right.body, right.status, *lines)]


def _send(
    connection: socket.socket, pieces: Iterable[bytes | float | None], stopping: threading.Event
) -> None:
    for piece in pieces:
        if piece is None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            return
        if isinstance(piece, float):
            stopping.wait(piece)
        else:
            connection.sendall(piece)
        if stopping.is_set():
            return
