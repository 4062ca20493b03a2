"""A token that sends more than it may hears 503 and when to try again; others do not notice (contract G)."""

import asyncio

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
    """Each request has 75,000 values, and 200,000 may come at once."""
    answers = []
    for _ in range(4):
        points = [point(float(number), micros() - 600_000 * number, {"state": "used"}) for number in range(15_000 // 2)]
        points += [point(1.0, it.time_unix_nano // 1000 + 550_000, {"state": "used"}) for it in points]
        body = encoded(request(gauge("system.memory.usage", *points)), PROTOBUF)
        headers = token.header | {"Content-Type": PROTOBUF}
        answers.append(await http.post("/v1/metrics", content=body, headers=headers))

    assert answers[0].status_code == 200, answers[0].content
    assert answers[-1].status_code in (200, 503)
