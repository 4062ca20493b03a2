"""Keys, codes, CORS and forms of paths (contract B.0)."""

import pytest

from contract.healthchecks.conftest import Project
from contract.healthchecks.operations import OPERATIONS, Operation

NOBODYS = "6766163a-568d-47b4-a1fa-91a0957e06d4"
KEYED = [each for each in OPERATIONS if not each.keyless]
OF_ONE = [each for each in OPERATIONS if "{id}" in each.path]
WRONG = "w" * 32


def cors(answer, *verbs: str) -> None:
    """Checks the headers that every answer has."""
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-allow-headers"] == "X-Api-Key"
    assert answer.headers["access-control-max-age"] == "600"
    if verbs:
        assert set(answer.headers["access-control-allow-methods"].split(", ")) == {*verbs, "OPTIONS"}


@pytest.mark.parametrize("operation", KEYED, ids=str)
async def test_no_key_or_a_wrong_one_is_401_with_cors(project: Project, operation: Operation):
    path = operation.path.format(id=NOBODYS)
    for key, error in (("", "missing api key"), ("short", "missing api key"), ("x" * 33, "missing api key"),
                       (WRONG, "wrong api key"), ("é" * 16, "wrong api key")):  # fmt: skip
        headers = {b"X-Api-Key": key.encode()} if key else {}
        answer = await project(operation.method, path, "", headers=headers)
        assert (answer.status_code, answer.json()) == (401, {"error": error}), key
        cors(answer)


@pytest.mark.parametrize("operation", KEYED, ids=str)
async def test_read_only_key_opens_just_what_the_document_says(project: Project, operation: Operation, name: str):
    it = await project.create(name=name)
    answer = await project(operation.method, operation.path.format(id=it["uuid"]), project.reading)
    if operation.reading:
        assert answer.status_code == 200
    else:
        assert (answer.status_code, answer.json()) == (401, {"error": "wrong api key"})
    cors(answer)


@pytest.mark.parametrize("operation", OF_ONE, ids=str)
async def test_check_of_another_project_is_403_without_a_word_and_an_unknown_one_404(
    project: Project, neighbour: Project, other: Project, operation: Operation
):
    it = await project.create(name="SECRET")
    for stranger in (neighbour, other):
        for sent in ({}, {"json": {"name": 5}}, {"params": {"start": "x"}}):
            more = {} if operation.method != "POST" and "json" in sent else sent
            answer = await stranger(operation.method, operation.path.format(id=it["uuid"]), **more)
            assert (answer.status_code, answer.content) == (403, b"")
            cors(answer)
            answer = await stranger(operation.method, operation.path.format(id=NOBODYS), **more)
            assert answer.status_code == 404
            cors(answer)
    assert await project.get(f"checks/{it['uuid']}") == it


async def test_unique_key_is_looked_for_in_the_own_project_only(project: Project, neighbour: Project, name: str):
    await project.create(name=name)
    key = (await project.get("checks/", project.reading))["checks"][-1]["unique_key"]
    for path in (f"checks/{key}", f"checks/{key}/flips/"):
        assert (await project("GET", path)).status_code == 200
        assert (await neighbour("GET", path)).status_code == 404
    for method, path in (("POST", f"checks/{key}"), ("DELETE", f"checks/{key}")):
        assert (await project(method, path)).status_code == 405
    assert (await project("POST", f"checks/{key}/pause")).status_code == 404


@pytest.mark.parametrize("operation", OF_ONE, ids=str)
async def test_id_is_lower_case_with_dashes_or_unknown(project: Project, operation: Operation):
    it = (await project.create())["uuid"]
    for id_ in (it.upper(), it.replace("-", ""), f"{{{it}}}", it[:-1], f"{it}%0a", "x", "%00", "*", f"urn:uuid:{it}"):
        answer = await project(operation.method, operation.path.format(id=id_))
        assert answer.status_code == 404, id_
        cors(answer)


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
async def test_wrong_verb_is_405_and_preflight_204_with_and_without_a_slash(project: Project, operation: Operation):
    verbs = {each.method for each in OPERATIONS if each.path == operation.path}
    path = operation.path.format(id=NOBODYS).rstrip("/")
    for form in (path, f"{path}/"):
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - verbs:
            answer = await project(method, form)
            assert (answer.status_code, answer.content) == (405, b""), method
            cors(answer, *verbs)
        answer = await project("OPTIONS", form, "")
        assert (answer.status_code, answer.content) == (204, b"")
        cors(answer, *verbs)


@pytest.mark.parametrize("version", [1, 2, 3])
async def test_every_operation_answers_in_every_form_and_never_redirects(empty: Project, version: int):
    empty.version = version
    for operation in OPERATIONS:
        for slash in ("", "/"):
            it = await empty.create()
            if operation.path.endswith("resume"):
                await empty("POST", f"checks/{it['uuid']}/pause")
            answer = await empty(operation.method, operation.path.format(id=it["uuid"]).rstrip("/") + slash)
            assert answer.status_code in (200, 201), f"{operation}{slash} {answer.text}"
            cors(answer)
            if operation.method == "GET":
                head = await empty("HEAD", operation.path.format(id=it["uuid"]).rstrip("/") + slash)
                assert (head.status_code, head.content) == (200, b"")


async def test_key_may_come_in_the_body_and_the_header_wins(project: Project, name: str):
    answer = await project("POST", "checks/", "", json={"api_key": project.key, "name": name})
    assert (answer.status_code, answer.json()["name"]) == (201, name)
    path = f"checks/{answer.json()['uuid']}"
    assert (await project("POST", path, "", json={"api_key": project.key, "tags": "a"})).json()["tags"] == "a"
    assert (await project("POST", f"{path}/pause", "", json={"api_key": project.key})).status_code == 200
    assert (await project("POST", path, WRONG, json={"api_key": project.key})).status_code == 401
    assert (await project("POST", path, project.key, json={"api_key": WRONG})).status_code == 200
    assert (await project("POST", path, "", json={"api_key": project.reading})).status_code == 401
    assert (await project("POST", path, "", json={"api_key": 5})).status_code == 401


async def test_status_needs_no_key(project: Project):
    for version in (1, 2, 3):
        answer = await project.http.get(f"/api/v{version}/status/")
        assert (answer.status_code, answer.text) == (200, "OK")


async def test_unknown_paths_are_404_with_cors(project: Project):
    for path in ("nothing/", "checks/x/y", f"checks/{NOBODYS}/nothing", f"checks/{NOBODYS}/flips/1", ""):
        for method in ("GET", "POST", "OPTIONS"):
            answer = await project(method, path)
            assert answer.status_code == 404
            cors(answer)
