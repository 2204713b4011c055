"""The explorer's local web server. Needs the extra ``serve``."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

import numpy as np
from fastapi import Depends, FastAPI, HTTPException, Request, Response

from ...core.errors import ParameterError
from ...probes.labels import Labels
from ...search.retrieval import OutsideRootsError
from ..shared import server as serving
from ..shared.channels import ALL
from .bodies import ByLabel, ByRowNumbers, ByRows, BySpan, Labelled, Proposed
from .collection import Collection
from .filters import Filters
from .labelling import Change, Labelling
from .page import explore_page
from .pieces import View, pictured, played
from .queries import UPLOAD_BYTES, Queries, Query
from .retraining import Retraining
from .rows import Rows
from .sample import MOST_ROWS
from .searching import Search
from .slices import DAMAGED, Slices, Vanished
from .work import Work

T = TypeVar("T")
_BODIES = {
    "/api/labels": serving.Body(256 << 10),
    "/api/labels/shown": serving.Body(256 << 10),
    "/api/filters": serving.Body(MOST_ROWS // 8, serving.BYTES),  # a bit for each row
    "/api/search/sound": serving.Body(UPLOAD_BYTES, serving.BYTES),
}


def explore_app(collection: Collection, labels: Labels, access: serving.Access) -> FastAPI:
    """The page at ``/`` and its interface under ``/api``."""
    app = serving.make_app("explore", access, _BODIES, {Vanished: 410, OutsideRootsError: 403})
    search, slices, work = Search(collection), Slices(collection), Work()
    queries, labelling = Queries(collection, search, slices), Labelling(collection, labels)
    rows, retraining = Rows(collection), Retraining(collection)
    filters = Filters(len(collection))
    points = np.ascontiguousarray(collection.layout.points.T, "<f4").tobytes()

    def about() -> dict[str, Any]:
        facts = {"who": labels.who, "counts": labelling.counts(), "upload_bytes": UPLOAD_BYTES}
        return {**rows.about(), **facts, "corrected": retraining.corrected}

    serving.add_page(app, lambda: explore_page(about()))

    def check(*numbers: int) -> None:
        for row in numbers:
            if not 0 <= row < len(collection):
                raise HTTPException(404, f"There is no row {row}: rows are numbered 0 to {len(collection) - 1}.")

    def stored(query_id: str) -> Query:
        query = queries.get(query_id)
        if query is None:
            raise HTTPException(404, "This query is no longer stored; send the sound again.")
        return query

    @app.get("/api/about")
    def describe() -> dict[str, Any]:
        return about()

    @app.get("/api/map")
    def layout() -> Response:
        return Response(points, media_type=serving.BYTES)

    @app.get("/api/columns/{name}")
    def column(name: str) -> Response:
        values = collection.columns.get(name)
        if values is None:
            raise HTTPException(404, "There is no such column; /api/about lists the columns.")
        return Response(values.data, media_type=serving.BYTES)

    @app.get("/api/rows/{row}")
    def row_facts(row: int) -> dict[str, Any]:
        check(row)
        return rows.facts(row)

    @app.get("/api/rows/{row}/picture")
    async def row_picture(
        request: Request, row: int, view: Annotated[View, Depends()], version: str = DAMAGED, pad: float = 0.0
    ) -> dict[str, Any]:
        check(row)
        return await work.do(request, slices.picture, row, version, pad, view)

    @app.get("/api/rows/{row}/audio")
    async def row_sound(
        request: Request, row: int, version: str = DAMAGED, pad: float = 0.0, channel: str = ALL
    ) -> Response:
        check(row)
        data, mime = await work.do(request, slices.sound, row, version, pad, channel)
        return serving.ranged(request, data, mime)

    @app.post("/api/places")
    def places(body: ByRowNumbers) -> list[tuple[str, str]]:
        check(*body.rows)
        return [(span.name, span.time) for span in collection.spans(body.rows)]

    @app.post("/api/filters")
    async def add_filter(request: Request) -> dict[str, int]:
        return {"filter": filters.add(await request.body())}

    @app.get("/api/rows/{row}/neighbours")
    async def neighbours(
        request: Request, row: int, k: int = 12, others: bool = True, filter: int | None = None
    ) -> dict[str, Any]:
        check(row)
        return {"hits": await work.do(request, search.neighbours, row, k, others, filters.rows(filter))}

    @app.post("/api/search/rows")
    async def by_rows(request: Request, body: ByRows) -> dict[str, Any]:
        check(*body.like, *body.unlike)
        shown = filters.rows(body.filter)
        hits = await work.do(request, search.rows, body.like, body.unlike, body.k, body.where, body.others, shown)
        return {"hits": hits}

    @app.post("/api/search/label")
    async def by_label(request: Request, body: ByLabel) -> dict[str, Any]:
        return {"hits": await work.do(request, search.label, body.label, body.k, filters.rows(body.filter))}

    @app.post("/api/search/span")
    async def by_span(request: Request, body: BySpan) -> dict[str, Any]:
        if (body.row is None) == (body.query is None):
            raise ParameterError("Give either a row or a query to search by a span of it.")
        shown = filters.rows(body.filter)
        if body.row is not None:
            check(body.row)
            query, hits = await work.do(request, queries.of_span, body.row, body.start, body.stop, body.k, shown)
        else:
            whole = stored(body.query or "")
            query, hits = await work.do(request, queries.of_stretch, whole, body.start, body.stop, body.k, shown)
        return {"query": query, "hits": hits}

    @app.post("/api/search/sound")
    async def by_sound(request: Request, k: int = 12, filter: int | None = None) -> dict[str, Any]:
        name, shown = request.headers.get("x-name", ""), filters.rows(filter)
        query, hits = await work.do(request, queries.of_sound, await request.body(), name, k, shown)
        return {"query": query, "hits": hits}

    @app.get("/api/queries/{query_id}/picture")
    async def query_picture(
        request: Request, query_id: str, view: Annotated[View, Depends()], at: float = 0.0
    ) -> dict[str, Any]:
        query = stored(query_id)
        return await work.do(request, lambda: pictured(queries.page(query, at), view))

    @app.get("/api/queries/{query_id}/audio")
    async def query_sound(request: Request, query_id: str, at: float = 0.0, channel: str = ALL) -> Response:
        query = stored(query_id)
        data, mime = await work.do(request, lambda: played(queries.page(query, at).of(channel)))
        return serving.ranged(request, data, mime)

    @app.post("/api/labels")
    def label(body: Labelled) -> dict[str, Any]:
        check(*body.rows)
        change = None if body.change is None else Change(body.change.add, body.change.remove)
        return labelling.add(body.rows, body.action, body.label, body.note.strip(), change)

    @app.post("/api/labels/shown")
    def shown(body: ByRowNumbers) -> dict[str, int]:
        check(*body.rows)
        return labelling.shown(body.rows)

    @app.post("/api/undo")
    def undo() -> dict[str, Any]:
        return labelling.undo()

    @app.get("/api/labels.csv")
    def export(filter: int | None = None) -> Response:
        name = {"Content-Disposition": 'attachment; filename="labels.csv"'}
        return Response(labelling.export(filters.rows(filter)), media_type="text/csv", headers=name)

    @app.post("/api/retrain")
    async def retrain(request: Request) -> dict[str, Any]:
        return await work.do(request, retraining.propose)

    @app.post("/api/retrain/use")
    async def use(request: Request, body: Proposed) -> dict[str, Any]:
        return await work.do(request, retraining.use, body.proposal)

    @app.post("/api/retrain/back")
    async def back(request: Request) -> dict[str, Any]:
        return await work.do(request, retraining.back)

    return app
