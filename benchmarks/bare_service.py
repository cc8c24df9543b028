"""What the service would be without a framework: Starlette and uvicorn around the same scoring function.

    python -m benchmarks.bare_service out/bundle 3001

One request is scored at a time, in a thread, as a plain service would do it.
"""

from __future__ import annotations

import pathlib
import sys

import pydantic_core
import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tiercast.models import bundle_folder
from tiercast.serving.online.requests import ScoreRequest
from tiercast.serving.online.scorer import Scorer


def app(bundle: pathlib.Path) -> Starlette:
    online = Scorer(bundle_folder.load(bundle))

    def score_json(body: bytes) -> bytes:
        return pydantic_core.to_json(online.score(ScoreRequest.model_validate_json(body)))

    async def score(request: Request) -> Response:
        body = await request.body()
        return Response(await run_in_threadpool(score_json, body), media_type="application/json")

    return Starlette(routes=[Route("/v1/score", score, methods=["POST"])])


if __name__ == "__main__":
    folder, port = sys.argv[1:]
    uvicorn.run(app(pathlib.Path(folder)), host="127.0.0.1", port=int(port), log_level="warning")
