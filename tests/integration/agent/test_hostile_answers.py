"""Whatever a server answers costs bounded time and memory, and is at most a line of the log."""

import socket
import time
from contextlib import suppress

import pytest

from agents import QUICK, agent, answering, receiving, until
from authorities import Authority, pem
from pinghome_agent.post import NoAnswer, parsed_url, post


def posted(port, timeout=5.0, body=b"body"):
    return post(parsed_url(f"http://127.0.0.1:{port}"), "/x", {}, body, None, timeout)


def saying(data, *, then=None):
    """Reads the request's head and answers with bytes."""

    def serve(connection):
        connection.recv(65536)
        connection.sendall(data)
        if then:
            then(connection)

    return serve


def for_ever(data, pause=0.0):
    def serve(connection):
        while True:
            connection.sendall(data)
            time.sleep(pause)

    return serve


@pytest.mark.parametrize(
    ("data", "then"),
    [
        (b"", None),
        (b"\0\xff garbage \r\n\r\n", None),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", None),
        (b"HTTP/1.1 2000 OK\r\n\r\n", None),
        (b"HTTP/1.1 200 OK\r\nX: ", None),
        (b"HTTP/1.1 200 OK\r\nX: ", for_ever(b"A" * 4096)),
        (b"", for_ever(b"\r\n\r\n")),
        (b"", for_ever(b"HTTP/1.1 100 Continue\r\n\r\n")),
    ],
)
def test_what_is_no_answer_ends(data, then):
    with answering(saying(data, then=then)) as port, pytest.raises(NoAnswer):
        posted(port)


def test_an_answer_that_trickles_ends_at_the_deadline():
    begun = time.monotonic()
    with answering(saying(b"HTTP/1.1 200 OK\r\nX: ", then=for_ever(b"A", pause=0.05))) as port:
        with pytest.raises(NoAnswer, match=r"slow|timed out"):
            posted(port, timeout=0.5)
        assert time.monotonic() - begun < 10 * 0.5


def test_a_body_without_end_is_not_read():
    with answering(saying(b"HTTP/1.1 200 OK\r\n\r\n", then=for_ever(b"A" * 65536))) as port:
        assert posted(port).status == 200


def test_of_an_error_a_clean_line_is_kept():
    text = b"HTTP/1.1 422 No\r\nretry-after: 5\r\n\r\nline\r\n\x1b[31mred\x00\xff" + b"A" * 9000
    with answering(saying(text)) as port:
        answer = posted(port)

    assert (answer.status, answer.retry_after, len(answer.text)) == (422, 5, 200)
    assert answer.text.isprintable()


def test_an_answer_before_the_body_was_read_is_read():
    def serve(connection):
        connection.recv(100)
        connection.sendall(b"HTTP/1.1 413 Too Large\r\nConnection: close\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        with suppress(OSError):
            while connection.recv(65536):
                pass

    with answering(serve) as port:
        assert posted(port, body=b"x" * 5_000_000).status == 413


def test_interim_answers_are_passed_over():
    with answering(saying(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n\r\n")) as port:
        assert posted(port).status == 200


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_never_followed(status):
    calls = []
    with answering(calls.append) as elsewhere:
        head = f"HTTP/1.1 {status} Moved\r\nLocation: http://127.0.0.1:{elsewhere}/\r\n\r\n"
        with answering(saying(head.encode())) as port:
            assert posted(port).status == status
        time.sleep(0.2)
    assert calls == []


def test_only_a_trusted_certificate_gets_the_token(tmp_path):
    ours, others = Authority("ours"), Authority("others")
    (tmp_path / "ca.pem").write_bytes(pem(ours.certificate))
    contexts = (ours.context(tmp_path), others.context(tmp_path), ours.context(tmp_path, name="other.example"))
    for heard, context in zip((True, False, False), contexts, strict=True):
        with receiving(tls=context) as it:
            options = ("--once", "--ca-file", str(tmp_path / "ca.pem"))
            with agent(f"https://localhost:{it.port}", tmp_path, *options, code=QUICK) as running:
                assert (running.process.wait(60) == 0) is heard, running.log
            assert bool(it.requests) is heard
            assert heard or "certificate" in running.log


def test_an_agent_among_hostile_answers_keeps_its_samples(tmp_path, receiver):
    answers = iter([b"garbage\r\n\r\n", b"", b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n"])
    with answering(saying(next(answers))) as port, agent(f"http://127.0.0.1:{port}", tmp_path, code=QUICK) as running:
        until(lambda: "not_sent" in running.log and len(running.kept()) > 3)
    kept = running.kept()
    with agent(receiver.url, tmp_path, code=QUICK):
        until(lambda: set(kept) <= set(receiver.times()))
