"""Somebody who is signed in at the console and looks at its first page all the time."""

import re
import threading
from collections import Counter
from typing import Self

import httpx

from compose.stack import DOMAIN, Stack


class Viewing:
    """`with Viewing(stack) as viewing`: signs in by the first token and looks until the block ends.

    `answers` are counted by status, 0 for none.
    """

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self.answers: Counter[int] = Counter()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        print(f"console: {dict(self.answers)}")

    def _run(self) -> None:
        host = f"console.{DOMAIN}"
        with httpx.Client(
            base_url=f"https://127.0.0.1:{self._stack.https}",
            headers={"Host": host},
            verify=self._stack.trust,
            trust_env=False,
            timeout=60,
        ) as http:
            sni = {"sni_hostname": host}
            form = re.search(r'name="form_token" value="([^"]+)"', http.get("/sign-in", extensions=sni).text)
            assert form
            data = {"form_token": form[1], "token": self._stack.keys["TOKEN"]}
            assert http.post("/sign-in", data=data, extensions=sni).status_code == 303
            while not self._stop.wait(0.2):
                try:
                    self.answers[http.get("/", extensions=sni).status_code] += 1
                except httpx.HTTPError as error:
                    print(f"no page: {error!r}")
                    self.answers[0] += 1
