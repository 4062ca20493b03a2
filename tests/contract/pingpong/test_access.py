"""Tokens, pages, codes, CORS and forms of paths (contract C.0, C.1)."""

from itertools import product

import httpx
import pytest

from contract.pingpong.conftest import Project
from contract.pingpong.operations import ALIASES, OPERATIONS, Operation, body, filled

NOBODYS = "4Prx46Kk7Rqnq3hv8RZbmN"
UNAUTHORIZED = {
    "": "Authentication credentials were not provided.",
    "Bearer {}": "Authentication credentials were not provided.",
    "{}": "Authentication credentials were not provided.",
    "Token": "Invalid token header. No credentials provided.",
    "Token {} {}": "Invalid token header. Token string should not contain spaces.",
    "Token x": "Invalid token.",
    "Token é": "Invalid token.",
    "Token " + "w" * 5000: "Invalid token.",
}
NO_IDS = ("x" * 5000, "%00", "*", "%F0%9F%92%A9", "GZ7tIAmLacSDW7sHe9Fskl", "null", "-1", "_" * 22,
          "6766163a-568d-47b4-a1fa-91a0957e06d4")  # fmt: skip
CHANGING = [each for each in OPERATIONS if each.method != "GET"]
OF_ONE = [each for each in OPERATIONS if "{" in each.path]
PATHS = sorted({each.path for each in OPERATIONS})


def cors(answer: httpx.Response, *verbs: str) -> None:
    """Checks the headers that every answer has."""
    assert answer.headers.get_list("access-control-allow-origin") == ["*"]
    assert set(answer.headers["access-control-allow-headers"].split(", ")) == {"Authorization", "Content-Type"}
    if verbs:
        assert set(answer.headers["access-control-allow-methods"].split(", ")) == {*verbs, "OPTIONS"}


def refused(answer: httpx.Response, status: int, detail: str) -> None:
    """Checks an error without fields."""
    assert (answer.status_code, answer.json()) == (status, {"detail": detail})
    assert answer.headers["content-type"] == "application/json"
    cors(answer)


def unfilled(path: str) -> str:
    return path.replace("{id}", NOBODYS).replace("{incident_id}", NOBODYS).replace("{update_id}", NOBODYS)


def verbs_of(path: str) -> set[str]:
    return {each.method for each in OPERATIONS if each.path == path}


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
async def test_no_token_or_a_wrong_one_is_401_in_the_documents_words(project: Project, operation: Operation):
    path = await filled(operation, project)
    for header, detail in UNAUTHORIZED.items():
        headers = {b"Authorization": header.format(project.token, project.token).encode()} if header else {}
        answer = await project(operation.method, path, "", headers=headers)
        refused(answer, 401, detail)
        assert answer.headers["www-authenticate"] == "Token"


async def test_tokens_of_other_kinds_and_other_scheme_words(project: Project):
    for token in (project.owner.token, "a" * 32):
        refused(await project("GET", "status", token), 401, "Invalid token.")
    for scheme in ("token", "TOKEN", "Token  "):
        headers = {"Authorization": f"{scheme} {project.token}"}
        assert (await project("GET", "status", "", headers=headers)).status_code == 200
    answer = await project.owner("GET", "statuspage-query/v1/statuspages", headers=headers)
    assert answer.status_code == 401


@pytest.mark.parametrize("operation", CHANGING, ids=str)
async def test_read_only_token_changes_nothing(project: Project, operation: Operation):
    path = await filled(operation, project)
    answer = await project(operation.method, path, project.reading, **body(operation))
    refused(answer, 403, "You do not have permission to perform this action.")


async def test_read_only_token_reads(project: Project):
    for operation in OPERATIONS:
        if operation.method == "GET":
            assert (await project("GET", await filled(operation, project), project.reading)).status_code == 200


@pytest.mark.parametrize("operation", OF_ONE, ids=str)
async def test_what_is_another_pages_is_404_and_stays_as_it_is(
    project: Project, neighbour: Project, other: Project, operation: Operation
):
    path = await filled(operation, project)
    reads = "PATCH" if operation.path.endswith("components/{id}/status") else "GET"
    before = (await project(reads, path, json={"status": "Operational"} if reads == "PATCH" else None)).json()
    for stranger in (neighbour, other):
        for sent in (body(operation), {"json": {"title": 5}} if operation.method not in ("GET", "DELETE") else {}):
            refused(await stranger(operation.method, path, **sent), 404, "Not found.")
    assert (await project(reads, path, json={"status": "Operational"} if reads == "PATCH" else None)).json() == before


async def test_lists_are_of_the_own_page_only(project: Project, neighbour: Project, other: Project):
    for noun in ("components", "component-groups", "incidents", "maintenance", "metrics", "custom-metrics"):
        made = await project.create(noun)
        assert made["id"] in [each["id"] for each in await project.get(noun)]
        for stranger in (neighbour, other):
            assert made["id"] not in [each["id"] for each in await stranger.get(noun)]


async def test_update_of_another_incident_is_404(project: Project):
    one, another = [await project.create("incidents") for _ in range(2)]
    update = await project.create(f"incidents/{one['id']}/updates")
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        refused(await project(method, f"incidents/{another['id']}/updates/{update['id']}"), 404, "Not found.")
    assert await project.get(f"incidents/{one['id']}/updates") == [update]


@pytest.mark.parametrize("operation", OF_ONE, ids=str)
async def test_what_is_no_id_is_404(project: Project, operation: Operation):
    path = await filled(operation, project)
    id_ = path.removesuffix("/status").rpartition("/")[2]
    if id_ == "updates":
        id_ = path.split("/")[1]
    too_large = "7n42DGM5Tflk9n8mt7Fhc8"  # 2 to the power of 128
    for wrong in (id_[:-1], f"{id_}0", id_.swapcase(), f"{id_}%0a", too_large, *NO_IDS):
        answer = await project(operation.method, path.replace(id_, wrong), **body(operation))
        refused(answer, 404, "Not found.")


@pytest.mark.parametrize("path", PATHS)
async def test_verbs_that_a_path_does_not_have_are_405_and_a_preflight_names_those_that_it_has(
    project: Project, path: str
):
    verbs = verbs_of(path)
    for form in (unfilled(path), f"{unfilled(path)}/"):
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - verbs:
            answer = await project(method, form)
            refused(answer, 405, f'Method "{method}" not allowed.')
            assert set(answer.headers["allow"].split(", ")) == {*verbs, "OPTIONS"}
            cors(answer, *verbs)
            refused(await project(method, form, ""), 401, "Authentication credentials were not provided.")
        asked = {"Origin": "https://example.com", "Access-Control-Request-Method": "PUT"}
        for service in ("", "/statuspage-cmd", "/statuspage-query", "/data-gateway"):
            answer = await project.http.options(f"{service}/rest/v1/{form}", headers=asked)
            assert (answer.status_code, answer.content) == (204, b"")
            cors(answer, *verbs)


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
async def test_every_operation_answers_in_every_form_and_never_redirects(project: Project, operation: Operation):
    names = next((each for each in ALIASES if operation.path.startswith(each)), "")
    heads = [names, *ALIASES.get(names, ())]
    forms = product(heads, ("", "/"), ("", f"/{operation.service}"), ("", "api.pingpong.one"))
    for head, slash, prefix, host in forms:
        if prefix and host:
            continue
        path = head + (await filled(operation, project)).removeprefix(names) + slash
        headers = {"Authorization": f"Token {project.token}"} | ({"Host": host} if host else {})
        more = body(operation)
        answer = await project.http.request(operation.method, f"{prefix}/rest/v1/{path}", headers=headers, **more)
        assert answer.status_code in (200, 201, 204), f"{operation} {path} {answer.text}"
        cors(answer, *verbs_of(operation.path))
        if operation.method == "GET":
            head_only = await project.http.head(f"{prefix}/rest/v1/{path}", headers=headers)
            assert (head_only.status_code, head_only.content) == (200, b"")


async def test_services_hosts_answer_too(project: Project):
    for host, method, path in (("statuspage-query", "GET", "status"), ("statuspage-cmd", "POST", "components")):
        headers = {"Host": f"{host}.api.pinghome.io"}
        answer = await project(method, path, headers=headers, **({"json": {"name": "API"}} if method == "POST" else {}))
        assert answer.status_code in (200, 201)


async def test_unknown_paths_are_404(project: Project):
    for path in ("nothing", "components/x/y/z", "status/x", f"incidents/{NOBODYS}/nothing", "widgets", ""):
        for method in ("GET", "POST", "OPTIONS"):
            refused(await project(method, path), 404, "Not found.")
