"""Judging an answer never holds up the loop that probes, and has a budget."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from random import Random

import pytest

from pinghome_common.events.condition import BODY, JSON, Condition
from prober import evaluation
from prober.budget import Budget, OverBudgetError
from prober.conditions import OVER_BUDGET, outcomes
from prober.evaluation import evaluate
from prober.probes.error_mapping import OwnFault
from prober.probes.probe_types import Observation

MIB = 1 << 20
HEAVY = [
    Condition(
        type=BODY, operator="not-contains", values=["a" * 499 + "b" + "a" * 499 + str(each) for each in range(50)]
    )
    for _ in range(10)
]
LONG = Observation(body=b"a" * MIB, complete=True)


class Loop:
    """Measures how long the loop had no turn."""

    async def __aenter__(self):
        self.longest = 0.0
        self._task = asyncio.create_task(self._beat())
        await asyncio.sleep(0)
        return self

    async def __aexit__(self, *_):
        self._task.cancel()

    async def _beat(self):
        last = time.perf_counter()
        while True:
            await asyncio.sleep(0.001)
            now = time.perf_counter()
            self.longest, last = max(self.longest, now - last), now


@pytest.mark.asyncio(loop_scope="module")
async def test_heavy_conditions_on_a_long_answer_do_not_hold_up_the_loop():
    began = time.perf_counter()
    async with Loop() as loop:
        outcomes = await evaluate(HEAVY, LONG, every=True)

    assert time.perf_counter() - began < 50
    assert loop.longest < 0.5  # nominal: 0.03 s; inline it is one to six
    assert len(outcomes) == len(HEAVY)
    assert all(it.holds or it.found == OVER_BUDGET for it in outcomes)


def test_condition_over_budget_fails_and_says_so_and_so_do_those_behind_it():
    found = list(outcomes(HEAVY * 20, LONG))

    assert not found[-1].holds
    assert found[-1].sentence.endswith(f": {OVER_BUDGET}")


def test_long_list_of_values_is_within_the_budget():
    seen = Observation(body=b"[" + b"1," * (MIB // 2 - 9) + b"1]", complete=True)
    wanted = [Condition(type=JSON, operator="contains", values=[f"x{each}" for each in range(50)])] * 10
    began = time.thread_time()

    assert list(outcomes(wanted, seen))[-1].found == OVER_BUDGET
    assert time.thread_time() - began < 5


def spend(budget):
    while True:
        budget.check()


def test_budget_is_spent_by_computing_alone():
    budget = Budget(0.02)
    budget.check()
    time.sleep(0.05)
    budget.check()
    with pytest.raises(OverBudgetError):
        spend(budget)


def test_large_expression_is_searched_in_less_of_an_answer_and_says_so():
    dear = Condition(type=BODY, operator="regex", values=["x(a|b)*a(a|b){300}(c|d)|early"])
    mixed = b"early" + bytes(Random(1).choices(b"ab", k=MIB // 2))
    began = time.thread_time()

    (found,) = outcomes([dear], Observation(body=mixed, complete=True))
    (missed,) = outcomes([dear], Observation(body=mixed[5:], complete=True))

    assert found.holds
    assert missed.found == "not within the first 106 KiB, the search limit of such a large expression"
    assert time.thread_time() - began < 10


@pytest.mark.asyncio(loop_scope="module")
async def test_judgement_that_does_not_come_in_time_is_given_up(monkeypatch):
    monkeypatch.setattr(evaluation, "TIMEOUT", 0.1)
    dear = [Condition(type=BODY, operator="regex", values=["(a|b)*a(a|b){300}(c|d)"])]
    mixed = Observation(body=bytes(Random(1).choices(b"ab", k=MIB // 2)), complete=True)

    with ThreadPoolExecutor(2) as threads:  # of its own, as a judgement that was given up goes on for a while
        monkeypatch.setattr(evaluation, "THREADS", threads)
        found = await asyncio.gather(*(evaluate(dear, mixed) for _ in range(3)), return_exceptions=True)

    assert [it[0].found for it in found[:2]] == [OVER_BUDGET] * 2
    assert isinstance(found[2], OwnFault)
