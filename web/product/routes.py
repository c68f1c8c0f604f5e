"""Routes of what belongs to a whole product: its settings, its threshold, and places to ignore in its photographs."""

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from web.judging.form import read_limited
from web.judging.routes import FOR_NOW
from web.named import Named
from web.overview import products_of
from web.product.ignored_places import IgnoredValues, save_ignored
from web.product.kinds import save_kinds
from web.product.settings import change_settings
from web.product.threshold import InUse, asked_threshold, change_threshold, night_rows, nights_alike


def product_routes(named: Named) -> APIRouter:
    """What pages ask for about products.

    Args:
        named: finds the runs, lots and images of the store.
    """
    router, library = APIRouter(), named.library

    @router.post("/settings")
    async def change(request: Request) -> JSONResponse:
        body = await read_limited(request)

        def stored() -> dict[str, str]:
            return {"in_use": change_settings(library.store, body, products_of(library.runs(), {}, {}))}

        return JSONResponse(await run_in_threadpool(stored), status_code=201, headers=FOR_NOW)

    @router.get("/lots/{name}/nights.json")
    def nights(name: str, threshold: str = "") -> JSONResponse:
        run = named.run(name)
        rows = night_rows(library, nights_alike(library.runs(), run.record), asked_threshold(threshold))
        return JSONResponse({"nights": rows}, headers=FOR_NOW)

    @router.post("/lots/{name}/threshold")
    async def choose(name: str, request: Request) -> JSONResponse:
        body = await read_limited(request)

        def stored() -> InUse:
            run = named.run(name)
            return change_threshold(library, body, run, nights_alike(library.runs(), run.record))

        return JSONResponse(await run_in_threadpool(stored), status_code=201, headers=FOR_NOW)

    @router.post("/lots/{name}/kinds")
    async def list_kinds(name: str, request: Request) -> JSONResponse:
        body = await read_limited(request)

        def stored() -> dict[str, str]:
            return {"saved": save_kinds(library.store, body, named.run(name).record.job.category)}

        return JSONResponse(await run_in_threadpool(stored), status_code=201, headers=FOR_NOW)

    @router.post("/lots/{name}/images/{image_id}/ignored")
    async def ignore_places(name: str, image_id: str, request: Request) -> JSONResponse:
        body = await read_limited(request)

        def stored() -> IgnoredValues:
            _, lot, position = named.image(name, image_id)
            return save_ignored(library.store, body, lot, position)

        return JSONResponse(await run_in_threadpool(stored), status_code=201, headers=FOR_NOW)

    return router
