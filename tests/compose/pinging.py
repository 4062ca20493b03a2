"""Check-ins at a steady rate by the public host, each known by its message."""

import threading
import time
from collections import Counter
from typing import Self

import httpx

from compose.stack import DOMAIN, Stack

CLIENTS = 8


class Pinging:
    """`with Pinging(stack, heartbeats, rate) as pinging`: checks in until the block ends.

    `answers` are counted by status, 0 for none; `acknowledged` are the messages that were answered with 200, `longest`
    is the most seconds that one of those took.
    """

    def __init__(self, stack: Stack, heartbeats: list[str], rate: float) -> None:
        self._stack, self._heartbeats, self._rate = stack, heartbeats, rate
        self._name = f"{time.time():.0f}"
        self.answers: Counter[int] = Counter()
        self.acknowledged: list[str] = []
        self.longest = 0.0
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(number,)) for number in range(CLIENTS)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        print(f"answers: {dict(self.answers)}, the longest after {self.longest:.1f} s")

    def _run(self, client: int) -> None:
        host, due, number = f"data-gateway.{DOMAIN}", time.monotonic(), client
        with httpx.Client(verify=self._stack.trust, trust_env=False, timeout=60) as http:
            while not self._stop.wait(due - time.monotonic()):
                due = max(due + CLIENTS / self._rate, time.monotonic() - 1)
                message, id_ = f"{self._name}-{number}", self._heartbeats[number % len(self._heartbeats)]
                url = f"https://127.0.0.1:{self._stack.https}/v1/heartbeat/{id_}?message={message}"
                begun = time.monotonic()
                try:
                    status = http.get(url, headers={"Host": host}, extensions={"sni_hostname": host}).status_code
                except httpx.HTTPError as error:
                    print(f"no answer: {error!r}")
                    status = 0
                self.answers[status] += 1
                if status == 200:
                    self.acknowledged.append(message)
                    self.longest = max(self.longest, time.monotonic() - begun)
                number += CLIENTS

    def lost(self) -> set[str]:
        """The acknowledged ones that statistic-query does not have yet."""
        statement = f"SELECT message FROM ping WHERE message LIKE '{self._name}-%'"  # noqa: S608  # a number
        rows = self._stack.sql("statistic_query", statement)
        return set(self.acknowledged) - set(rows)
