"""What the agent must not be able to do at all."""

import ast
from pathlib import Path

import pytest

import pinghome_agent

SOURCES = sorted(Path(pinghome_agent.__file__).parent.rglob("*.py"))
FORBIDDEN = {
    "subprocess",
    "pty",
    "socketserver",
    "http.server",
    "xmlrpc",
    "asyncio",
    "multiprocessing",
    "ctypes",
    "pickle",
}
CALLS = {"eval", "exec", "compile", "system", "popen", "fork", "execv", "execve", "posix_spawn", "listen", "bind"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_it_listens_to_nothing_and_runs_nothing(path):
    tree = ast.parse(path.read_text())
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not imported & FORBIDDEN
    called = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    assert not {name for name in called if name.rpartition(".")[2] in CALLS and name != "re.compile"}


def test_it_stands_alone():
    modules = {str(node.module) for path in SOURCES for node in ast.walk(ast.parse(path.read_text()))
               if isinstance(node, ast.ImportFrom)}  # fmt: skip
    assert not {name for name in modules if name.startswith("pinghome_") and not name.startswith("pinghome_agent")}
