"""Routes of the review site. Runs and images named in a URL are looked up in the store's listings."""

import logging
import shlex
from importlib.resources import files
from typing import Any
from urllib.parse import quote

import pandas as pd
from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException as AnyHTTPException

from reports.languages.current import gettext as _
from reports.languages.current import language_tag
from reports.languages.sentences import translated
from reports.page.crops import close_up_grid
from reports.verdicts.counts import calibration_of, scored_alike
from reports.verdicts.exported_verdicts import FORMATS, numbered_kinds, verdicts_content
from storage.disk_space import describe_space, is_full
from storage.errors import StorageError, UnreadableImageError
from storage.results.run_files import Language
from storage.results.runs import REPORT, REPORT_FOLDER
from storage.store import Store
from web import pictures
from web.access.guard import Access
from web.access.languages import Languages, choices, keep_choice
from web.access.proxy import BelowRoot, Front, link_root, unsure_host
from web.image_page import image_values, map_values, nearest_places
from web.judging.form import TooLargeError
from web.judging.many import last_actions
from web.judging.pull_list import parts_to_pull
from web.judging.routes import FOR_NOW, judging_routes
from web.lot import Lot
from web.lot_page import Suggestion, lot_values, slider_values, suggestion_for
from web.named import Named
from web.nights import StoredRun
from web.overview import calendar, products_of
from web.product.ignored_places import OutdatedError, ignored_values
from web.product.kind_counts import counts_beside, counts_of_products
from web.product.kinds import kinds_values
from web.product.routes import product_routes
from web.product.settings import settings_of
from web.product.threshold import threshold_in_use
from web.rendering import page
from web.store_cache import Library
from web.view_query import Query

log = logging.getLogger(__name__)

FOR_GOOD = {"Cache-Control": "private, max-age=31536000, immutable"}
"""Of what an image's or a run's name stands for, which never becomes something else."""
NOT_TOLD = Front()
MEDIA = {"csv": "text/csv", "json": "application/json", "xml": "application/xml", "zip": "application/zip"}
BY_LANGUAGE = {"Vary": "Accept-Language, Cookie"}
REPORT_POLICY = {"Content-Security-Policy": "frame-ancestors 'none'"}
"""The report brings a stricter policy of its own, which knows its script by a digest."""


def create_app(
    store: Store,
    token: str | None = None,
    reviewer: str = "",
    front: Front = NOT_TOLD,
    language: Language | None = None,
) -> FastAPI:
    """The site over a store.

    Args:
        store: to look at, and to keep verdicts in.
        token: what every request must carry; None for a server on loopback.
        reviewer: the name that verdicts get unless another is typed.
        language: of the pages unless another is chosen on them; None for what browsers ask for.
    """
    app = FastAPI(title="MuSc review", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.middleware("http")(Access(token, front))
    app.add_middleware(BelowRoot, root=front.root)  # the last one added is the first one asked
    app.add_middleware(Languages, usual=language)
    app.mount("/static", StaticFiles(directory=str(files("web") / "static")), name="static")
    library = Library(store)

    named = Named(library)
    app.include_router(judging_routes(named))
    app.include_router(product_routes(named))

    def suggested(
        run: StoredRun, runs: dict[str, StoredRun], lot: Lot, everything: dict[str, pd.DataFrame]
    ) -> Suggestion:
        alike = scored_alike(run.record)
        known = {one.path: one.record for one in runs.values() if one.path in everything}
        tables = [everything[path] for path, record in known.items() if scored_alike(record) == alike]
        return suggestion_for(lot, *calibration_of(tables))

    def shown(request: Request, template: str, **values: Any) -> HTMLResponse:
        of_site = {"store": store.url, "reviewer": reviewer, "asked_host": unsure_host(request, front)}
        content = page(template, link_root(request), languages=choices(request), **of_site, **values)
        answer = HTMLResponse(content, headers={**FOR_NOW, **BY_LANGUAGE, "Content-Language": language_tag()})
        keep_choice(request, answer)
        return answer

    @app.get("/")
    def overview(request: Request) -> HTMLResponse:
        runs = library.runs()
        products = products_of(runs, library.judged(), library.unusual(runs))
        found = {"products": products, "calendar": calendar(products), "benchmarks": library.benchmarks()}
        found["kinds"] = counts_of_products(library, products)
        found["settings"] = settings_of(store, products)
        return shown(request, "overview.html", attempts=library.attempts(), **found)

    @app.get("/lots/{name}")
    def lot_page(name: str, request: Request) -> HTMLResponse:
        runs = library.runs()
        run = named.run(name)
        lot, unusual = library.lot(run), library.unusual(runs).get(name, ())
        query = Query.of(request.query_params) if Query.names_view(request.query_params) else None
        everything = library.verdicts.everything()
        verdicts = everything[run.path] if run.path in everything else library.verdicts_about(run)
        values = lot_values(lot, verdicts, query, suggested(run, runs, lot, everything))
        values["ignored"] = ignored_values(store, run.record, 1, 1)
        values["actions"] = last_actions(library.verdicts.actions(run.path))
        values["threshold_in_use"] = threshold_in_use(store, run.record)
        values["place"] = shlex.quote(store.location(run.path))
        values["kinds"] = kinds_values(store, run.record.job.category)
        return shown(request, "lot.html", run=run, record=run.record, unusual=unusual, **values)

    @app.get("/lots/{name}/pull")
    def pull_list(name: str, request: Request) -> HTMLResponse:
        run, lot = named.lot(name)
        parts = parts_to_pull(lot, library.verdicts_about(run))
        return shown(request, "pull.html", run=run, record=run.record, parts=parts)

    @app.get("/lots/{name}/kinds")
    def kinds_page(name: str, request: Request) -> HTMLResponse:
        run = named.run(name)
        kinds, counts = kinds_values(store, run.record.job.category), counts_beside(library, run)
        return shown(request, "kinds.html", run=run, record=run.record, kinds=kinds, counts=counts)

    @app.get("/lots/{name}/scores.json")
    def scores(name: str) -> JSONResponse:
        run, lot = named.lot(name)
        return JSONResponse(slider_values(lot, library.verdicts_about(run)), headers=FOR_NOW)

    @app.get("/lots/{name}/report")
    def report(name: str) -> Response:
        run = named.run(name)
        if not run.has_report:
            raise HTTPException(404, "This run has no report.")
        content = store.read(f"{run.path}/{REPORT_FOLDER}/{REPORT}")
        return HTMLResponse(content, headers={**FOR_NOW, **REPORT_POLICY})

    @app.get("/lots/{name}/verdicts/{kind}")
    def export(name: str, kind: str) -> Response:
        if kind not in FORMATS:
            raise HTTPException(404, f"Verdicts are exported as {', '.join(FORMATS)}.")
        run, lot = named.lot(name)
        file_name = quote(f"{name}-verdicts-{kind}.{FORMATS[kind]}")
        headers = {**FOR_NOW, "Content-Disposition": f"attachment; filename*=UTF-8''{file_name}"}
        try:
            verdicts = library.verdicts_about(run)
            content = verdicts_content(kind, verdicts, lot.images, kinds=numbered_kinds(store, verdicts))
        except ValueError as error:
            raise HTTPException(422, str(error)) from None
        return Response(content, media_type=MEDIA[FORMATS[kind]], headers=headers)

    @app.get("/lots/{name}/images/{image_id}")
    def image_page(name: str, image_id: str, request: Request) -> HTMLResponse:
        run, lot, position = named.image(name, image_id)
        query = Query.of(request.query_params)
        values = image_values(lot, position, library.verdicts_about(run), query)
        image = lot.images[position]
        values["ignored"] = ignored_values(store, run.record, image.width, image.height)
        values["kinds"] = kinds_values(store, run.record.job.category)
        return shown(request, "image.html", run=run, record=run.record, query=query, **values)

    @app.get("/lots/{name}/images/{image_id}/thumbnail")
    def thumbnail(name: str, image_id: str) -> Response:
        _, lot, position = named.image(name, image_id)
        found = pictures.thumbnail(lot, position)
        return Response(found.content, media_type="image/jpeg", headers=FOR_GOOD if found.is_final else FOR_NOW)

    @app.get("/lots/{name}/images/{image_id}/photograph")
    def photograph(name: str, image_id: str) -> Response:
        _, lot, position = named.image(name, image_id)
        content, media = pictures.browser_image(content_of(lot, position))
        return Response(content, media_type=media, headers=FOR_GOOD)

    @app.get("/lots/{name}/images/{image_id}/map.json")
    def anomaly_map(name: str, image_id: str) -> JSONResponse:
        _, lot, position = named.image(name, image_id)
        return JSONResponse(map_values(lot, position), headers=FOR_GOOD)

    @app.get("/lots/{name}/images/{image_id}/matches.json")
    def matches(name: str, image_id: str) -> JSONResponse:
        run, lot, position = named.image(name, image_id)
        return JSONResponse(nearest_places(lot, position, library.verdicts_about(run)), headers=FOR_NOW)

    @app.get("/lots/{name}/images/{image_id}/crop/{patch}")
    def crop(name: str, image_id: str, patch: int) -> Response:
        run, lot, position = named.image(name, image_id)
        rows, columns = lot.patch_scores(position).shape
        grid = close_up_grid(run.record, (rows, columns))
        if not 0 <= patch < grid[0] * grid[1]:
            raise HTTPException(404, "There is no such place in the image.")
        picture = pictures.crop(content_of(lot, position), patch, grid)
        return Response(picture, media_type="image/jpeg", headers=FOR_GOOD)

    @app.exception_handler(AnyHTTPException)
    def not_found(request: Request, error: AnyHTTPException) -> Response:
        return failure(request, error.status_code, str(error.detail))

    @app.exception_handler(TooLargeError)
    def too_large(request: Request, error: Exception) -> Response:
        return failure(request, 413, str(error))

    @app.exception_handler(OutdatedError)
    def outdated(request: Request, error: Exception) -> Response:
        return failure(request, 409, str(error))

    @app.exception_handler(ValueError)
    def refused(request: Request, error: Exception) -> Response:
        return failure(request, 422, str(error))

    @app.exception_handler(UnreadableImageError)
    @app.exception_handler(StorageError)
    @app.exception_handler(OSError)
    def out_of_reach(request: Request, error: Exception) -> Response:
        log.warning("%s %s: %s", request.method, request.url.path, error)
        return failure(request, 503, why_out_of_reach(store, error))

    def failure(request: Request, status: int, message: str) -> Response:
        if request.method == "POST":
            return JSONResponse({"error": translated(message)}, status_code=status, headers=FOR_NOW)
        answer = shown(request, "message.html", message=translated(message), status=status)
        answer.status_code = status
        return answer

    return app


def why_out_of_reach(store: Store, error: Exception) -> str:
    """What to tell a person whose request met a full disk, a store that cannot be written, a file that is gone."""
    if is_full(error):
        space = describe_space(store) or _("%(store)s takes nothing more", store=store.url)
        return _("There is no room left to store anything: %(space)s; make room and try again.", space=space)
    reason = str(error)
    if isinstance(error, OSError) and error.strerror:
        reason = error.strerror + (f", {error.filename}" if error.filename else "")
    return _("The store or a photograph cannot be used now: %(reason)s", reason=reason)


def content_of(lot: Lot, position: int) -> bytes:
    """The file of an image.

    Raises:
        HTTPException: 404 if the photograph is gone.
    """
    content = lot.content(position)
    if content is None:
        raise HTTPException(404, "The photograph no longer lies in its folder as it was scored.")
    return content
