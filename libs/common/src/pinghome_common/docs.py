"""A service's OpenAPI page, which loads nothing from other hosts."""

import html
from collections.abc import Mapping
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import FileResponse, HTMLResponse

routes = APIRouter(include_in_schema=False)

POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "style-src 'self' 'unsafe-inline'; "  # Swagger UI and the Markdown that it shows set style attributes
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}

PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" type="image/png" href="swagger/favicon-32x32.png">
<link rel="stylesheet" href="swagger/swagger-ui.css">
<div id="swagger-ui"></div>
<script src="swagger/swagger-ui-bundle.js"></script>
<script src="swagger/start.js"></script>
</html>
"""
START = """SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  showExtensions: true,
  showCommonExtensions: true,
  tryItOutEnabled: true,
  presets: [SwaggerUIBundle.presets.apis, SwaggerUIBundle.SwaggerUIStandalonePreset],
});
"""
FILES = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon-32x32.png": "image/png",
}


def document(app: FastAPI, errors: Mapping[str, Any]) -> dict[str, Any]:
    """The OpenAPI document, with the schemas of `errors`, and without FastAPI's own 422 responses.

    Not every dialect has these.
    """
    if app.openapi_schema is None:
        schema = FastAPI.openapi(app)
        for operations in schema["paths"].values():
            for operation in operations.values():
                answers = operation["responses"]
                if "HTTPValidationError" in str(answers.get("422")):
                    del answers["422"]
        schemas = schema.setdefault("components", {}).setdefault("schemas", {})
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        schemas |= errors if schema["paths"] else {}
    assert app.openapi_schema is not None  # noqa: S101  # it caches what it builds
    return app.openapi_schema


@routes.get("/docs")
async def page(request: Request) -> Response:
    """The page; its relative links work under any host and prefix."""
    return HTMLResponse(PAGE.format(title=html.escape(request.app.title)), headers=HEADERS)


@routes.get("/swagger/start.js")
async def start() -> Response:
    """Starts Swagger UI; the policy forbids inline scripts."""
    return Response(START, media_type="text/javascript", headers=HEADERS)


async def _file(path: Path, kind: str) -> Response:
    return FileResponse(path, media_type=kind, headers=HEADERS)  # reads 64 KiB at a time


_FOLDER = Path(str(resources.files("fastapi_swagger.resources")))
for _name, _kind in FILES.items():
    routes.add_api_route(f"/swagger/{_name}", partial(_file, _FOLDER / _name, _kind), response_model=None)
