"""The status of a check against a model written from contract B.4 to B.6 alone."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from cronsim import CronSim
from hypothesis import given
from hypothesis import strategies as st

from pinghome_common.clock import from_micros, micros
from pinghome_common.dialects.healthchecks_documents import CheckRenderer
from pinghome_common.events.heartbeat import Heartbeat, RuntimeState, Status, alert_after, take
from pinghome_common.events.ping import Kind, Ping
from resource_cmd.evaluation.deadlines import miss

BEGIN = datetime(2026, 10, 24, 12, tzinfo=UTC)  # the clocks change in the night after
WORDS = {
    "success": Kind.success, "start": Kind.run, "fail": Kind.fail, "log": Kind.log, "ign": Kind.ign,
}  # fmt: skip


@dataclass
class Model:
    """A check in the words of B.4."""

    timeout: timedelta
    grace: timedelta
    schedule: str
    tz: str
    manual_resume: bool
    status: str
    last_ping: datetime | None = None
    last_start: datetime | None = None
    rid: UUID | None = None
    duration: timedelta | None = None
    n_pings: int = 0

    def ping(self, action: str, rid: UUID | None, now: datetime) -> None:
        self.n_pings += 1
        if action in ("log", "ign") or (self.status == "paused" and self.manual_resume):
            return
        if action == "start":
            self.last_start, self.rid = now, rid
            return
        matches = self.last_start is not None and self.rid == rid
        self.duration = now - self.last_start if self.last_start is not None and matches else None
        if matches or rid is None or action == "fail":
            self.last_start = self.rid = None
        self.last_ping, self.status = now, "up" if action == "success" else "down"

    def expected(self) -> datetime | None:
        if self.status != "up" or self.last_ping is None:
            return None
        if not self.schedule:
            return self.last_ping + self.timeout
        return next(CronSim(self.schedule, self.last_ping.astimezone(ZoneInfo(self.tz)))).astimezone(UTC)

    def next_ping(self) -> datetime | None:
        times = [self.expected(), self.last_start if self.status != "down" else None]
        return min((time for time in times if time), default=None)

    def alert_after(self) -> datetime | None:
        begin = self.next_ping()
        return begin + self.grace if begin else None

    def shown(self, now: datetime, *, started: bool) -> str:
        if self.last_start is not None:
            if now >= self.last_start + self.grace:
                return "down"
            if started:
                return "started"
        begin = self.expected()
        if begin is None or now < begin:
            return self.status
        return "down" if now >= begin + self.grace else "grace"


steps = st.lists(
    st.tuples(
        st.sampled_from([*WORDS, "look"]), st.sampled_from([None, UUID(int=1), UUID(int=2)]), st.integers(1, 20_000)
    ),
    max_size=25,
)
settings = st.fixed_dictionaries(
    {
        "period": st.integers(60, 7200),
        "grace": st.integers(60, 7200),
        "schedule": st.sampled_from(["", "", "*/15 * * * *", "30 2 * * *", "0 2,3 * * *"]),
        "tz": st.sampled_from(["UTC", "Europe/Berlin", "America/New_York"]),
        "manual_resume": st.booleans(),
    }
)


@given(steps, settings, st.sampled_from([Status.new, Status.paused]), st.integers(0, 10**6))
def test_a_check_is_what_the_contract_says_at_every_time(found, chosen, begins, offset):
    it = Heartbeat(
        id=uuid4(), organisation=uuid4(), service_id=uuid4(), name="job", methods=[],
        vitals=RuntimeState(status=begins),
        created_at=BEGIN, updated_at=BEGIN, **chosen,
    )  # fmt: skip
    model = Model(
        timedelta(seconds=it.period), timedelta(seconds=it.grace), it.schedule, it.tz, it.manual_resume, begins.value
    )
    now = BEGIN + timedelta(microseconds=offset)
    for place, (what, rid, later) in enumerate(found, 1):
        now += timedelta(seconds=later)
        same(it, model, now)
        deadline = alert_after(it, it.vitals)
        if deadline is not None and deadline < micros(now) and model.status != "down":  # the sweeper
            it.vitals, model.status = miss(it.vitals, deadline), "down"
            assert it.vitals.changed_at == deadline
            same(it, model, now)
        if what != "look":
            run = rid.bytes if rid else b""
            it.vitals = take(it, it.vitals, Ping(b"", b"", micros(now), WORDS[what], run_id=run), place)
            model.ping(what, rid, now)
            same(it, model, now)


def same(it: Heartbeat, model: Model, now: datetime) -> None:
    at = micros(now)
    first, third = (json.loads(CheckRenderer("", version, at, read_only=False).whole(it)) for version in (1, 3))
    assert first["status"] == model.shown(now, started=True)
    assert third["status"] == model.shown(now, started=False)
    following = model.next_ping()
    assert first["next_ping"] == (following and following.astimezone(UTC).replace(microsecond=0).isoformat())
    assert time(alert_after(it, it.vitals)) == model.alert_after()
    vitals = it.vitals
    assert (time(vitals.last_ping), time(vitals.last_start)) == (model.last_ping, model.last_start)
    assert (vitals.n_pings, vitals.run_id) == (model.n_pings, model.rid)
    assert vitals.last_duration == (model.duration.total_seconds() if model.duration is not None else None)


def time(at: int | None) -> datetime | None:
    return None if at is None else from_micros(at)
