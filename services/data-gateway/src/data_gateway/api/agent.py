"""What installs the agent on a server (contract G): made by `make dist` into this package."""

import re
from pathlib import Path as File
from typing import Annotated

from fastapi import Path, Response
from starlette.responses import FileResponse

from pinghome_common.dialects.pinghome import Router
from pinghome_common.errors import NotFound

FOLDER = File(__file__).parents[1] / "agent"

_TYPES = {
    "install.sh": "text/x-shellscript; charset=utf-8",
    "SHA256SUMS": "text/plain; charset=utf-8",
    "pinghome-agent.service": "text/plain; charset=utf-8",
}
_WHEEL = re.compile(r"pinghome_agent-[0-9A-Za-z.]+-py3-none-any\.whl", re.ASCII)

routes = Router(public=True, tags=["Servers"])


@routes.get("/agent/{name}", responses={200: {"content": {"text/x-shellscript": {}}}}, response_class=FileResponse)
async def file(name: Annotated[str, Path(examples=["install.sh"])]) -> Response:
    """The script that installs the agent, its wheel, its systemd unit, and their checksums."""
    kind = _TYPES.get(name) or ("application/octet-stream" if _WHEEL.fullmatch(name) else None)
    path = FOLDER / name
    if kind is None:
        raise NotFound("Not found")
    if not path.is_file():
        known = FOLDER.is_dir()
        raise NotFound(
            "This version of the agent is not here" if known else "The agent was not built here: run `make dist`"
        )
    return FileResponse(path, media_type=kind, headers={"Cache-Control": "public, max-age=300"})
