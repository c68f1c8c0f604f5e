"""Routes that judge: one image, many at once, and undoing."""

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from reports.languages.current import gettext as _
from web.image_page import history
from web.judging.claims import Claims
from web.judging.form import read_limited, sent_object, text_of, verdict_from
from web.judging.many import describe, last_actions, latest_of, verdicts_from
from web.judging.sharing import claim_next
from web.judging.similar import SimilarDefects
from web.lot_page import with_verdicts
from web.named import Named
from web.view_query import Query, chosen

FOR_NOW = {"Cache-Control": "no-store"}


def judging_routes(named: Named) -> APIRouter:
    """What pages ask for when people judge.

    Args:
        named: finds the runs, lots and images of the store.
    """
    router, library, claims = APIRouter(), named.library, Claims()
    similar_defects = SimilarDefects(library)

    @router.get("/lots/{name}/selection.json")
    def selection(name: str, request: Request) -> JSONResponse:
        run, lot = named.lot(name)
        rows = chosen(with_verdicts(lot, library.verdicts_about(run)), Query.of(request.query_params))
        return JSONResponse({"images": rows["image_id"].tolist()}, headers=FOR_NOW)

    @router.get("/lots/{name}/images/{image_id}/similar.json")
    def similar(name: str, image_id: str) -> JSONResponse:
        return JSONResponse(similar_defects.about(*named.image(name, image_id)), headers=FOR_NOW)

    @router.post("/lots/{name}/images/{image_id}/verdicts")
    async def judge_image(name: str, image_id: str, request: Request) -> JSONResponse:
        body = await read_limited(request)

        def stored() -> dict[str, object]:
            run, lot, position = named.image(name, image_id)
            verdict, token = verdict_from(body, lot, position)
            library.verdicts.add(verdict, token=token)
            return history(library.verdicts_about(run), image_id)

        return JSONResponse(await run_in_threadpool(stored), status_code=201, headers=FOR_NOW)

    @router.post("/lots/{name}/verdicts")
    async def judge_many(name: str, request: Request) -> JSONResponse:
        body = await read_limited(request)

        def stored() -> dict[str, object]:
            _, lot = named.lot(name)
            verdicts, token = verdicts_from(body, lot)
            action = library.verdicts.add(*verdicts, token=token)
            return {"action": action, "said": describe([vars(verdict) for verdict in verdicts])}

        return JSONResponse(await run_in_threadpool(stored), status_code=201, headers=FOR_NOW)

    @router.post("/lots/{name}/claims")
    async def claim(name: str, request: Request) -> JSONResponse:
        sent = sent_object(await read_limited(request))

        def claimed() -> dict[str, object]:
            run, lot = named.lot(name)
            return claim_next(claims, lot, library.verdicts_about(run), sent)

        return JSONResponse(await run_in_threadpool(claimed), headers=FOR_NOW)

    @router.post("/lots/{name}/undo")
    async def undo(name: str, request: Request) -> JSONResponse:
        sent = sent_object(await read_limited(request))

        def stored() -> dict[str, object]:
            run, person = named.run(name), text_of(sent, "name").strip()
            library.verdicts_about(run)
            actions = library.verdicts.actions(run.path)
            action = text_of(sent, "action") or latest_of(actions, person)
            done = library.verdicts.undo(run.path, action, person)
            library.verdicts_about(run)
            rows = last_actions(library.verdicts.actions(run.path))
            return {"action": done, "said": next((row["text"] for row in rows if row["action"] == done), _("undone"))}

        return JSONResponse(await run_in_threadpool(stored), status_code=201, headers=FOR_NOW)

    return router
