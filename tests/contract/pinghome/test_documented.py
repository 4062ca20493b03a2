"""What pinghome-monitoring.txt names is what the services route, no more and no less."""

import os
from collections import Counter
from pathlib import Path

import pytest

from contract.client import Client
from contract.pinghome.operations import DOCUMENTED, OF_PAGES, PRESENT, ROUTED, Operation
from pinghome.services import SERVICES

# The documents are not ours to ship: they lie beside the checkout, where the work is done and in CI.
DOCUMENTS = Path(os.environ.get("SEEDS") or Path(__file__).parents[4] / "shared/spec")


def test_documented_operations_that_come_here_and_our_extensions_are_exactly_the_routes():
    present = {(str(each), each.public) for each in PRESENT}
    routed = {(str(each), each.public) for each in ROUTED}

    assert routed == present
    assert len(ROUTED) == len(PRESENT)


def test_no_operation_is_listed_twice():
    assert [each for each, count in Counter(map(str, DOCUMENTED)).items() if count > 1] == []
    assert len(DOCUMENTED) == 39


@pytest.mark.skipif(not DOCUMENTS.exists(), reason="the vendor's documents are not here")
@pytest.mark.parametrize(("document", "documented"), [("monitoring", DOCUMENTED), ("statuspages", OF_PAGES)])
def test_each_example_of_a_document_is_listed_at_its_line(document: str, documented: list[Operation]):
    lines = (DOCUMENTS / f"pinghome-{document}.txt").read_text().splitlines()

    examples = [number for number, line in enumerate(lines, 1) if line.startswith("const url = ")]

    listed = [each.line for each in documented]
    assert examples == listed
    for each in documented:
        said = "\n".join(lines[each.line - 1 : each.line + 60]).partition("axios.")[2]
        assert lines[each.line - 1].partition("://")[2].startswith(f"{each.service}.api.pinghome.io/v1/")
        assert said.startswith(each.method.lower() + "(")


@pytest.mark.parametrize("service", [name for name in SERVICES if name != "prober"])
async def test_running_service_shows_the_same_routes_as_its_code(client: Client, service: str):
    shown = await client.get(f"{service}/openapi.json")

    ours = {path: methods for path, methods in shown["paths"].items() if path.startswith("/v1/")}
    routes = {f"{method.upper()} {service}{path}" for path, methods in ours.items() for method in methods}
    assert routes == {str(each) for each in PRESENT if each.service == service}
