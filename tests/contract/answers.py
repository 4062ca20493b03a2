"""What answers look like in PingHome's dialect (contract A.0 and F)."""

import re
from typing import Any
from uuid import UUID

import httpx

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")


def refused(answer: httpx.Response, status: int, *fields: str) -> str:
    """The message of an error of this status, whose `errors` name exactly these fields."""
    assert answer.status_code == status, f"{answer.status_code} {answer.text[:300]}"
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert set(body) <= {"message", "errors"}
    assert isinstance(body["message"], str)
    assert body["message"]
    named = sorted(each["field"] for each in body.get("errors", []))
    assert named == sorted(fields), answer.text
    assert all(set(each) == {"field", "message"} and each["message"] for each in body.get("errors", []))
    return body["message"]


def done(answer: httpx.Response, kind: str, status: int = 200) -> dict[str, Any]:
    """The object in the answer to a create or an update: `{"message", kind, "id"}` and its version as ETag."""
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert set(body) == {"message", kind, "id"}
    assert body["id"] == body[kind]["id"] == str(UUID(body["id"]))
    assert re.fullmatch(r'"v\d+"', answer.headers["etag"])
    if status == 201:
        assert answer.headers["etag"] == '"v1"'
        assert body["message"] == f"{kind.capitalize()} created"
    assert TIME.fullmatch(body[kind]["created_at"])
    return body[kind]


def paginated(answer: httpx.Response, page: int = 1, limit: int = 50) -> list[dict[str, Any]]:
    """The rows of a list."""
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert list(body) == ["data", "page", "limit", "total"]
    assert (body["page"], body["limit"]) == (page, limit)
    assert isinstance(body["total"], int)
    return body["data"]


def but(body: dict[str, Any], *fields: str) -> dict[str, Any]:
    """The body without some fields."""
    return {name: value for name, value in body.items() if name not in fields}
