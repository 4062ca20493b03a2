"""The platform's gateway as the agent sees it: one address that takes batches."""

import gzip
import ssl
import time
from collections.abc import Callable

from pinghome_agent import VERSION
from pinghome_agent.clock import rfc3339
from pinghome_agent.post import Answer, Url, post

PREFIX = "/data-gateway"
PATH = "/v1/server-resource/metrics"


class Gateway:
    """Posts samples with the token, which is read anew each time: one that was renewed needs no restart.

    `identity` gives the JSON of what sends.
    """

    def __init__(
        self, url: Url, token: Callable[[], str], identity: Callable[[], bytes], ca_file: str | None = None
    ) -> None:
        self._url, self._token, self._identity = url, token, identity
        self._tls = ssl.create_default_context() if url.secure else None
        if self._tls and ca_file:
            self._tls.load_verify_locations(ca_file)  # besides the system's
        self._prefix = PREFIX

    def send(self, samples: list[bytes]) -> Answer:
        """The answer to a batch of samples; NoAnswer, or OSError or ValueError when the token cannot be read.

        Data-gateway by its own host has no prefix: on 404 the other form is tried, and kept if it is known there.
        """
        body = gzip.compress(batch(self._identity(), samples), compresslevel=6, mtime=0)
        headers = {
            "Authorization": f"Bearer {self._token()}",
            "Content-Type": "application/json",
            "Content-Encoding": "gzip",
            "User-Agent": f"pinghome-agent/{VERSION}",
        }
        answer = post(self._url, self._prefix + PATH, headers, body, self._tls)
        if answer.status == 404:
            other = "" if self._prefix else PREFIX
            second = post(self._url, other + PATH, headers, body, self._tls)
            if second.status != 404:
                self._prefix, answer = other, second
        return answer


def batch(identity: bytes, samples: list[bytes]) -> bytes:
    """The JSON of a batch; each sample is in it byte for byte as it was kept."""
    sent_at = rfc3339(time.time()).encode()
    return b'{"sent_at":"%b","agent":%b,"samples":[%b]}' % (sent_at, identity, b",".join(samples))
