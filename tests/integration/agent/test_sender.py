"""What becomes of samples by the platform's answers, over real connections."""

import json
import re

import pytest

from agents import TOKEN
from pinghome_agent.gateway import Gateway
from pinghome_agent.post import parsed_url
from pinghome_agent.sender import BATCH_BYTES, BETWEEN, Sender
from pinghome_agent.spool import Spool

FIRST = "/data-gateway/v1/server-resource/metrics"
SECOND = "/v1/server-resource/metrics"


@pytest.fixture
def spool(tmp_path):
    made = Spool(tmp_path / "spool", 1 << 22)
    yield made
    made.close()


@pytest.fixture
def sender(receiver, spool):
    return Sender(spool, Gateway(parsed_url(receiver.url), lambda: TOKEN, lambda: b'{"version":"1"}'))


def put(spool, count, size=0):
    for number in range(count):
        spool.append(json.dumps({"at": number, "of": "x" * size}, separators=(",", ":")).encode())


def until_sent(sender, spool, most=200):
    """The pauses between requests until nothing is left; nobody waits for them here."""
    pauses = []
    while spool.peek(1, 1).records:
        pauses.append(sender.step())
        assert len(pauses) < most
    return pauses


def test_a_batch_is_what_the_contract_says(receiver, sender, spool):
    put(spool, 3)
    until_sent(sender, spool)
    (request,) = receiver.requests

    assert request.path == FIRST
    assert request.headers["Authorization"] == f"Bearer {TOKEN}"
    assert (request.headers["Content-Type"], request.headers["Content-Encoding"]) == ("application/json", "gzip")
    assert set(request.batch) == {"sent_at", "agent", "samples"}
    assert receiver.times() == [0, 1, 2]


def test_a_backlog_is_sent_in_order_in_bounded_batches_and_at_most_two_a_second(receiver, sender, spool):
    put(spool, 1000, size=3000)
    pauses = until_sent(sender, spool)

    assert receiver.times() == list(range(1000))
    assert all(len(json.dumps(request.batch, separators=(",", ":"))) <= 500_000 for request in receiver.requests)
    assert all(len(request.batch["samples"]) <= 120 for request in receiver.requests)
    assert all(pause >= BETWEEN >= 0.5 for pause in pauses)
    assert len(set(pauses)) > 1  # jitter
    assert BATCH_BYTES < 500_000


def test_without_the_prefix_when_that_is_not_known_and_it_remembers(receiver, sender, spool):
    receiver.answer = lambda request: 404 if request.path == FIRST else 200
    for _ in range(3):
        put(spool, 1)
        until_sent(sender, spool)

    assert [request.path for request in receiver.requests] == [FIRST, SECOND, SECOND, SECOND]


def test_what_is_known_nowhere_is_kept_and_tried_slowly(receiver, sender, spool):
    receiver.answer = lambda _: 404
    put(spool, 1)

    assert min(sender.step() for _ in range(3)) > 30
    assert {request.path for request in receiver.requests} == {FIRST, SECOND}
    assert spool.peek(1, 1).records


@pytest.mark.parametrize("status", [401, 403, 302, 307, 405])
def test_what_only_a_person_can_help_is_kept_told_once_and_tried_slowly(receiver, sender, spool, status, capsys):
    receiver.answer = lambda _: (status, {"Location": f"{receiver.url}/elsewhere"})
    put(spool, 5)

    assert all(30 < sender.step() < 120 for _ in range(4))
    assert {request.path for request in receiver.requests} == {FIRST}
    assert len(re.findall("not_sent", capsys.readouterr().err)) == 1
    receiver.answer = lambda _: 200
    until_sent(sender, spool)
    assert receiver.times() == [0, 1, 2, 3, 4]
    assert "sending_again" in capsys.readouterr().err


@pytest.mark.parametrize("status", [400, 413, 422])
def test_one_bad_point_costs_itself_alone_in_a_small_batch(receiver, sender, spool, status, capsys):
    receiver.answer = lambda request: status if any(it["at"] == 6 for it in request.batch["samples"]) else 200
    put(spool, 12)
    until_sent(sender, spool)

    assert receiver.times() == [each for each in range(12) if each != 6]
    assert f'dropped="1" status="{status}" answer="answer"' in capsys.readouterr().err


def test_a_bad_point_in_a_large_batch_costs_a_sixteenth_of_it(receiver, sender, spool):
    receiver.answer = lambda request: 422 if any(it["at"] == 50 for it in request.batch["samples"]) else 200
    put(spool, 300)
    until_sent(sender, spool)

    assert receiver.times() == [each for each in range(300) if not 48 <= each < 56]
    assert len(receiver.requests) <= 1 + 16 + 2


def test_what_is_refused_for_ever_is_not_tried_for_ever(receiver, sender, spool):
    receiver.answer = lambda _: 422
    put(spool, 240)
    until_sent(sender, spool, most=40)

    assert receiver.samples() == []


@pytest.mark.parametrize(
    ("told", "least", "most"), [("7", 7, 9), ("0", 1, 1.3), ("999999999", 300, 375), ("-1", 0.5, 1), ("soon", 0.5, 1)]
)
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_counts_within_bounds(receiver, sender, spool, status, told, least, most):
    receiver.answer = lambda _: (status, {"Retry-After": told})
    put(spool, 1)

    assert least <= sender.step() <= most
    assert spool.peek(1, 1).records


def test_retries_back_off_with_jitter_and_never_so_far_that_the_server_is_missed(receiver, sender, spool):
    receiver.answer = lambda _: 500
    put(spool, 1)
    pauses = [sender.step() for _ in range(30)]

    assert pauses[0] < 1 < pauses[3]
    assert min(pauses[5:]) >= 7
    assert max(pauses) <= 15
    assert len(set(pauses)) == 30


def test_a_token_that_was_renewed_counts_at_once(receiver, spool, tmp_path):
    file = tmp_path / "token"
    file.write_text("old")
    sender = Sender(spool, Gateway(parsed_url(receiver.url), file.read_text, lambda: b"{}"))
    for token in ("old", "new"):
        file.write_text(token)
        put(spool, 1)
        sender.step()
    file.unlink()
    put(spool, 1)

    assert sender.step() > 0
    assert [request.headers["Authorization"] for request in receiver.requests] == ["Bearer old", "Bearer new"]
    assert len(spool.peek(500_000, 9).records) == 1
