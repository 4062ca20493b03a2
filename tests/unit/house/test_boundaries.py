"""Who may import whom (house 2): the borders that keep every endpoint two hops away."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SERVICES = {path.parent.name: path for path in ROOT.glob("services/*/src/*/app.py")}
COMMON = "pinghome_common"
AGGREGATES = [ROOT / "services/resource-cmd/src/resource_cmd" / f"{noun}.py" for noun in ("resource", "heartbeat")]
WITHOUT_IO = {"sqlalchemy", "asyncpg", "nats", "fastapi", "httpx"}


def imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def files(pattern: str) -> list[Path]:
    found = sorted(ROOT.glob(pattern))
    assert found
    return found


def test_all_services_are_looked_at():
    assert set(SERVICES) == {"resource_cmd", "resource_query", "statistic_query", "data_gateway", "prober"}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_imports_itself_and_common_only(service):
    others = {*SERVICES, "pinghome"} - {service}
    for path in files(f"services/*/src/{service}/**/*.py"):
        assert not {name.split(".")[0] for name in imported(path)} & others, path


def test_common_imports_no_service():
    for path in files("libs/common/src/**/*.py"):
        assert not {name.split(".")[0] for name in imported(path)} & {*SERVICES, "pinghome"}, path


@pytest.mark.parametrize("path", AGGREGATES, ids=lambda path: path.stem)
def test_aggregates_do_no_io(path):
    assert not {name.split(".")[0] for name in imported(path)} & WITHOUT_IO


def test_only_the_stream_package_knows_nats():
    for path in files("libs/common/src/**/*.py") + files("services/*/src/**/*.py"):
        if "stream" not in path.parts and path.name != "read_your_writes.py":  # it names the type of a message
            assert not {name.split(".")[0] for name in imported(path)} & {"nats"}, path


def test_dialects_stay_at_the_door():
    for path in files("services/*/src/**/*.py"):
        if "api" not in path.parts and path.name not in ("app.py", "command.py", "query.py"):
            assert not {name for name in imported(path) if name.startswith(f"{COMMON}.dialects")}, path


def test_tables_are_selected_only_where_the_organisation_is_named():
    for path in files("services/*/src/*/api/**/*.py"):
        assert not any(word in path.read_text() for word in ("SELECT ", "UPDATE ", "DELETE FROM")), path


def test_no_code_from_users_can_run():
    for path in files("libs/common/src/**/*.py") + files("services/*/src/**/*.py"):
        calls = {node.func.id for node in ast.walk(ast.parse(path.read_text()))
                 if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}  # fmt: skip
        assert not calls & {"eval", "exec", "compile", "__import__"}, path
        assert not imported(path) & {"pickle", "marshal", "shelve", "yaml"}, path
