"""The local web server of the review. Needs the extra ``serve``."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request, Response
from pydantic import BaseModel, Field

from ...core.html import build_page
from ...data.curation.decisions import LONGEST_NOTE
from ..shared import server as serving
from .review import SLICE_S, Review


class Decided(BaseModel):
    """Body of a decision."""

    id: str = Field(max_length=64)
    decision: str = Field(max_length=16)
    note: str = Field("", max_length=LONGEST_NOTE)


def review_app(review: Review, access: serving.Access) -> FastAPI:
    """The page at ``/`` and its interface under ``/api``."""
    ids = serving.OpaqueIds(finding.clip.id for finding in review.queue)
    about = {"who": review.decisions.who, "corpus": review.corpus.name, "clips": len(review.corpus), "slice": SLICE_S}
    page = build_page(
        __package__,
        "review",
        f"Curate {review.corpus.name}",
        {"about": about},
        allow="connect-src 'self'; media-src 'self'",
    )
    app = serving.make_app("curate", access)
    serving.add_page(app, lambda: page)

    @app.get("/api/queue")
    def queue() -> list[dict[str, Any]]:
        return [{"id": ids.of(row["name"]), **row} for row in review.rows()]

    @app.get("/api/precisions")
    def precisions() -> list[list[Any]]:
        return review.precisions()

    @app.get("/api/clips/{clip}/picture")
    def picture(clip: str, start: int = 0, scale: str = "linear") -> dict[str, Any]:
        return review.picture(ids.name(clip), start, scale)

    @app.get("/api/clips/{clip}/audio")
    def sound(request: Request, clip: str, start: int = 0) -> Response:
        data, mime, _ = review.sound(ids.name(clip), start)
        return serving.ranged(request, data, mime)

    @app.post("/api/decisions")
    def decide(body: Decided) -> dict[str, str]:
        review.decide(ids.name(body.id), body.decision, body.note.strip())
        return {"id": body.id, "decision": body.decision}

    @app.post("/api/undo")
    def undo() -> dict[str, str | None]:
        name = review.undo()
        return {"name": name}

    @app.post("/api/manifest")
    def manifest() -> dict[str, Any]:
        written = review.publish()
        return {"version": written["version"], **{key: written["counts"][key] for key in ("keep", "reject")}}

    return app
