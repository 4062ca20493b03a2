"""Deleting what has a name, which has to be typed."""

from typing import Any

from fastapi import Response

from console.viewer import Posted, Viewer


async def delete_named(v: Viewer, form: Posted, page: str, read: str, *command: Any) -> Response:
    """Deletes one; where another name was typed, its page says so.

    Args:
        v: who deletes.
        form: with the name as `typed`.
        page: of the one, such as `/alerts/7`; its list is above it.
        read: the path at which the API shows it.
        command: what `Api.send` takes to delete it.
    """
    it = await v.api.get(read)
    if form.one("typed").strip() != it["name"]:
        return v.goto(page, done="name")
    await v.api.send(*command)
    return v.goto(page.rpartition("/")[0], done="delete")
