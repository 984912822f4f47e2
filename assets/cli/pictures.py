"""Pictures of the published reports, drawn when somebody looks at a page that shows one; the page.

A run draws none: that would take longer than its other steps together on a small registry.
"""

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from pipelines.errors import SwrWarehouseError
from pipelines.page.html.writing import PAGE
from pipelines.page.previews import PICTURED
from pipelines.settings import read_settings
from pipelines.warehouse.query import open_published

# Browsers show a picture whatever the status: instead of a broken one.
_NOTHING_YET = """\
<svg xmlns="http://www.w3.org/2000/svg" width="670" height="40">
<text x="2" y="24" font-family="sans-serif" font-size="13" fill="#777">\
Nothing is published yet: launch the job ingest.</text></svg>
"""


def _picture(request: Request) -> Response:
    """Draw a report as it is published now; Starlette calls this in a thread."""
    report = request.path_params["report"]
    if report not in PICTURED:
        return PlainTextResponse("There is no such picture.\n", 404)
    from pipelines.page.charts import chart  # noqa: PLC0415 - half a second, for the first picture

    try:
        with open_published(read_settings().warehouse_dir) as con:
            image = chart(con, report)
    except SwrWarehouseError:
        return Response(_NOTHING_YET, 404, media_type="image/svg+xml")
    return Response(image, media_type="image/png", headers={"Cache-Control": "no-cache"})


def _page(_: Request) -> Response:
    """The page that the last run left; its own policy keeps it from asking Dagster anything."""
    file = read_settings().warehouse_dir / PAGE
    if not file.exists():
        return PlainTextResponse("There is no page yet: SWR_WRITE_PAGE has runs leave one.\n", 404)
    return FileResponse(file, media_type="text/html", headers={"Cache-Control": "no-cache"})


PICTURES = (Route("/pictures/{report}.png", _picture), Route(f"/{PAGE}", _page))
