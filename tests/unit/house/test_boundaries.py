"""Who may import whom (house 2): the borders that keep every endpoint two hops away."""

import ast
import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SERVICES = {path.parent.name: path for path in ROOT.glob("services/*/src/*/app.py")}
LIBRARIES = {path.name: path for path in ROOT.glob("libs/*/src/*") if path.is_dir()}
PACKAGES = SERVICES.keys() | LIBRARIES.keys() | {"pinghome"}
SOURCES = [path for pattern in ("libs/*/src", "services/*/src", "deploy/*/src") for path in sorted(ROOT.glob(pattern))]
COMMON, DELIVERY, WEB = "pinghome_common", "pinghome_delivery", "pinghome_web"
AGGREGATES = [
    ROOT / "services/resource-cmd/src/resource_cmd" / name
    for name in ("monitors/resource.py", "heartbeats/heartbeat.py")
]
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


def packages_of(path: Path) -> set[str]:
    """Which of our packages a file imports."""
    return {name.split(".")[0] for name in imported(path)} & PACKAGES


def at_run_time(tree: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those under `if TYPE_CHECKING`."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            for other in node.orelse:
                yield from (other, *at_run_time(other))
        else:
            yield from (node, *at_run_time(node))


def modules() -> dict[str, Path]:
    """All of ours by their dotted names."""
    return {
        ".".join(path.relative_to(src).with_suffix("").parts).removesuffix(".__init__"): path
        for src in SOURCES
        for path in src.rglob("*.py")
        if "migrations" not in path.parts
    }


def imported_modules(name: str, known: dict[str, Path]) -> set[str]:
    """The modules of ours that a module imports: `from a import b` is `a.b` where that is a module, else `a`."""
    found = set()
    for node in at_run_time(ast.parse(known[name].read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name} has a relative import, which this test does not follow"
            full = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {each if each in known else str(node.module) for each in full}
    return found & known.keys()


def test_all_packages_are_looked_at():
    assert set(SERVICES) == {"resource_cmd", "resource_query", "statistic_query", "statuspage_cmd", "statuspage_query",
                             "data_gateway", "prober", "console"}  # fmt: skip
    assert set(LIBRARIES) == {COMMON, DELIVERY, WEB}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_imports_itself_and_libraries_only(service):
    for path in files(f"services/*/src/{service}/**/*.py"):
        assert packages_of(path) <= {service, COMMON, DELIVERY, WEB}, path


def test_libraries_import_no_service():
    for path in files("libs/common/src/**/*.py"):
        assert packages_of(path) <= {COMMON}, path
    for path in files("libs/web/src/**/*.py"):
        assert packages_of(path) <= {WEB}, path
    for path in files("libs/delivery/src/**/*.py"):
        assert packages_of(path) <= {COMMON, DELIVERY}, path


def test_no_package_has_an_import_circle():
    known = modules()
    try:
        TopologicalSorter({name: imported_modules(name, known) for name in known}).prepare()
    except CycleError as error:
        pytest.fail(" imports ".join(reversed(error.args[1])))


def test_no_source_file_has_more_than_300_lines():
    lengths = {path: len(path.read_text().splitlines()) for src in SOURCES for path in src.rglob("*.py")}
    assert not {str(path.relative_to(ROOT)): lines for path, lines in lengths.items() if lines > 300}


@pytest.mark.parametrize("path", AGGREGATES, ids=lambda path: path.stem)
def test_aggregates_do_no_io(path):
    assert not {name.split(".")[0] for name in imported(path)} & WITHOUT_IO


def test_only_the_stream_package_knows_nats():
    for path in files("libs/*/src/**/*.py") + files("services/*/src/**/*.py"):
        if "stream" not in path.parts and path.name != "read_your_writes.py":  # it names the type of a message
            assert not {name.split(".")[0] for name in imported(path)} & {"nats"}, path


DIALECT = re.compile(r"(?i:healthchecks|pingpong)|PingHome")


def knows_a_dialect(path: Path) -> bool:
    text = path.read_text()
    if path.name == "app.py":  # it mounts the routes of every dialect
        text = re.sub(r"^ *from \w+\.api\.\w+.* import .*$", "", text, flags=re.MULTILINE)
    return bool(DIALECT.search(text)) or any(name.startswith(f"{COMMON}.dialects") for name in imported(path))


def test_only_routes_know_a_dialect():
    found = [path for path in files("services/*/src/**/*.py") if "api" not in path.parts and knows_a_dialect(path)]
    assert not found


def test_libraries_import_dialects_only_to_render_errors():
    for path in files("libs/*/src/**/*.py"):
        if "dialects" not in path.parts and path != ROOT / "libs/common/src/pinghome_common/app.py":
            assert not {name for name in imported(path) if name.startswith(f"{COMMON}.dialects")}, path


def test_tables_are_selected_only_where_the_organisation_is_named():
    for path in files("services/*/src/*/api/**/*.py"):
        assert not any(word in path.read_text() for word in ("SELECT ", "UPDATE ", "DELETE FROM")), path


def test_no_code_from_users_can_run():
    for path in files("libs/*/src/**/*.py") + files("services/*/src/**/*.py"):
        calls = {node.func.id for node in ast.walk(ast.parse(path.read_text()))
                 if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}  # fmt: skip
        assert not calls & {"eval", "exec", "compile", "__import__"}, path
        assert not imported(path) & {"pickle", "marshal", "shelve", "yaml"}, path
