"""A token that sends more than it may hears 503 and when to try again; others do not notice (contract G)."""

import asyncio
import gzip

import pytest

from gateways import Gateway
from otlp import FORMS, PROTOBUF, accepted, encoded, gauge, memory, micros, point, refused, request


@pytest.fixture(params=FORMS)
def form(request):
    return request.param


async def test_more_than_ten_requests_a_second_for_ten_seconds(served: Gateway, http, token, form):
    other = await served.token()
    body = encoded(request(memory(micros())), form)
    found = await asyncio.gather(
        *(http.post("/v1/metrics", content=body, headers=token.header | {"Content-Type": form}) for _ in range(300))
    )

    taken = [it for it in found if it.status_code == 200]
    assert 100 <= len(taken) < 300
    for answer in found:
        if answer not in taken:
            refused(answer, 503, form)
            assert 1 <= int(answer.headers["retry-after"]) <= 5
    assert len(await served.samples(token.server)) == len(taken)
    accepted(await http.post("/v1/metrics", content=body, headers=other.header | {"Content-Type": form}), form)


async def test_the_agents_form_has_the_same_limit(http, token):
    found = await asyncio.gather(
        *(http.post("/v1/server-resource/metrics", json={"samples": []}, headers=token.header) for _ in range(300))
    )

    over = [it for it in found if it.status_code == 503]
    assert over
    assert {it.headers["retry-after"] for it in over} == {"5"}
    assert {*over[0].json()} == {"message"}


async def test_more_values_than_a_token_may_send(http, token):
    """Thirty requests have 1,350,000 values; 200,000 may come at once, and then 20,000 a second."""
    points = [point(float(number), micros() - 600_000 * number, {"state": "used"}) for number in range(9000)]
    body = gzip.compress(encoded(request(gauge("system.memory.usage", *points)), PROTOBUF))
    headers = token.header | {"Content-Type": PROTOBUF, "Content-Encoding": "gzip"}
    found = await asyncio.gather(*(http.post("/v1/metrics", content=body, headers=headers) for _ in range(30)))

    statuses = [it.status_code for it in found]
    assert statuses.count(200) >= 4
    assert statuses.count(503) == 30 - statuses.count(200) > 0
