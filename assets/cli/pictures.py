"""Pictures of the published reports, drawn when somebody looks at a page that shows one; the page.

A run draws none: that would take longer than its other steps together on a small registry.
"""

from html import escape
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from pipelines.errors import SettingsError, SwrWarehouseError
from pipelines.page.html.writing import PAGE
from pipelines.page.previews import PICTURED
from pipelines.registries import read_one
from pipelines.warehouse.query import open_published

# Browsers show a picture whatever the status: instead of a broken one.
_SENTENCE = """\
<svg xmlns="http://www.w3.org/2000/svg" width="670" height="40">
<text x="2" y="24" font-family="sans-serif" font-size="13" fill="#777">\
{}</text></svg>
"""
_NOTHING_YET = "Nothing is published yet: launch the job ingest."


def _picture(request: Request) -> Response:
    """Draw a report as it is published now; Starlette calls this in a thread."""
    report = request.path_params["report"]
    if report not in PICTURED:
        return PlainTextResponse("There is no such picture.\n", 404)
    from pipelines.page.charts import chart  # noqa: PLC0415 - half a second, for the first picture

    try:
        with open_published(_directory(request)) as con:
            image = chart(con, report)
    except SettingsError as error:
        return _sentence(str(error))
    except SwrWarehouseError:
        return _sentence(_NOTHING_YET)
    return Response(image, media_type="image/png", headers={"Cache-Control": "no-cache"})


def _sentence(text: str) -> Response:
    return Response(_SENTENCE.format(escape(text)), 404, media_type="image/svg+xml")


def _directory(request: Request) -> Path:
    """Of the registry that is asked for by name, of several.

    Raises:
        SettingsError: there is none of that name.
    """
    return read_one(request.query_params.get("registry")).warehouse_dir


def _page(request: Request) -> Response:
    """The page that the last run left; its own policy keeps it from asking Dagster anything."""
    try:
        file = _directory(request) / PAGE
    except SettingsError:
        file = None
    if file is None or not file.exists():
        return PlainTextResponse("There is no page yet: SWR_WRITE_PAGE has runs leave one.\n", 404)
    return FileResponse(file, media_type="text/html", headers={"Cache-Control": "no-cache"})


PICTURES = (Route("/pictures/{report}.png", _picture), Route(f"/{PAGE}", _page))
