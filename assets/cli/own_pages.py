"""Lets a browser use Dagster's pages, and no page of another site.

Dagster asks for no log-in and takes GraphQL mutations even by GET: without this check an image
address in any page could start a run. What is no browser (curl, a script on this machine) passes.
"""

import re
from collections.abc import Collection, Mapping

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

THIS_MACHINE = frozenset({"127.0.0.1", "localhost", "[::1]"})
_HOST = re.compile(r"(\[[0-9a-f:]+\]|[a-z0-9.-]+)(:[0-9]+)?")
# A browser that knows these headers sends them with every request; "none" is a typed address.
_OWN_SITES = {None, "same-origin", "none"}


class OwnPagesOnly:
    """ASGI middleware: refuses with 403, and one sentence, what came from another site.

    Args:
        app: what it stands before.
        hosts: names by which the pages may be addressed, lower case and without a port.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str] = THIS_MACHINE) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        reason = None
        if scope["type"] in {"http", "websocket"}:
            reason = self._refusal(scope, Headers(scope=scope))
        if reason is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": reason})
        else:
            headers = {"X-Content-Type-Options": "nosniff"}
            await PlainTextResponse(f"{reason}\n", 403, headers)(scope, receive, send)

    def _refusal(self, scope: Scope, headers: Headers) -> str | None:
        """Why a request is refused; None where it is not."""
        host = headers.get("host", "").lower()
        name = _HOST.fullmatch(host)
        if name is None or name[1] not in self._hosts:
            return "These pages have another address: see docs/operations.md."
        origin = headers.get("origin")
        if origin is not None and origin.lower().partition("://")[2] != host:
            return "This came from a page of another site."
        if headers.get("sec-fetch-site") not in _OWN_SITES and not _opens_a_page(scope, headers):
            return "This came from a page of another site."
        is_http = scope["type"] == "http"
        if is_http and scope["path"].endswith("/graphql") and scope["method"] != "POST":
            return "GraphQL is taken by POST only."
        return None


def _opens_a_page(scope: Scope, headers: Mapping[str, str]) -> bool:
    """Whether somebody followed a link to here, which a page in a frame or a form does not do."""
    return (
        scope.get("method") == "GET"
        and headers.get("sec-fetch-mode") == "navigate"
        and headers.get("sec-fetch-dest") == "document"
    )
