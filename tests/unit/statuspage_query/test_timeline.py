"""What a component has shown: incidents before maintenance before what was set by hand before what it follows."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from pinghome_common.events.incident import Affected, Incident, IncidentStatus, IncidentUpdate
from pinghome_common.events.statuspage import ComponentStatus as Status
from statuspage_query.incidents import course
from statuspage_query.statuses import Given, History, Since, span, timeline

ZERO = datetime(2026, 11, 1, tzinfo=UTC)
A, B, C = uuid4(), uuid4(), uuid4()
GREEN, YELLOW, ORANGE, RED = Status.operational, Status.degraded, Status.partial_outage, Status.major_outage


def at(hours: float) -> datetime:
    return ZERO + timedelta(hours=hours)


def seen(**parts: Any) -> list[tuple[float, Status]]:
    found = timeline(History(**({"created_at": ZERO, "manual": [Since(ZERO, GREEN)]} | parts)))
    return [((each.at - ZERO) / timedelta(hours=1), each.status) for each in found]


def given(*steps: tuple[float, UUID, Status | None]) -> list[Given]:
    return [Given(at(hour), incident, status) for hour, incident, status in steps]


def test_the_worst_that_open_incidents_give_is_shown_while_they_are_open():
    steps = given((1, A, YELLOW), (2, B, RED), (3, A, ORANGE), (4, B, None), (5, A, None))
    assert seen(given=steps) == [(0, GREEN), (1, YELLOW), (2, RED), (4, ORANGE), (5, GREEN)]


def test_maintenance_hides_a_followed_outage_and_is_hidden_by_an_incident():
    followed = [Since(at(-5), GREEN), Since(at(2), RED), Since(at(6), GREEN)]
    maintained = [(at(1), at(4)), (at(3), at(5))]
    assert seen(followed=followed, maintained=maintained) == [
        (-5, GREEN), (1, Status.maintenance), (5, RED), (6, GREEN),
    ]  # fmt: skip
    steps = given((2, A, ORANGE), (3, A, None))
    assert seen(followed=followed, maintained=maintained, given=steps) == [
        (-5, GREEN), (1, Status.maintenance), (2, ORANGE), (3, Status.maintenance), (5, RED), (6, GREEN),
    ]  # fmt: skip


def test_maintenance_in_progress_goes_on():
    assert seen(maintained=[(at(1), None)]) == [(0, GREEN), (1, Status.maintenance)]


def test_incidents_and_maintenance_count_from_the_components_creation():
    early = {"given": given((-3, A, RED), (-2, A, ORANGE)), "maintained": [(at(-9), at(-8))]}
    assert seen(**early, followed=[Since(at(-9), GREEN)]) == [(-9, GREEN), (0, ORANGE)]
    assert seen(given=given((-3, A, RED), (-2, A, None))) == [(0, GREEN)]


def test_maintenance_is_left_out_of_the_sum_and_overlapping_outages_count_once():
    changes = timeline(
        History(
            created_at=ZERO,
            manual=[Since(ZERO, GREEN)],
            given=given((1, A, RED), (2, B, RED), (3, A, None), (4, B, None)),
            maintained=[(at(3), at(8))],
        )
    )
    whole = span(changes, ZERO, at(10))
    assert (whole.downtime, whole.status) == (3 * 3600, RED)
    assert whole.uptime == 50  # 3 of 6 hours: those of the maintenance after it do not count


def incident(**settings: Any) -> Incident:
    base = {"id": A, "organisation": B, "page": C, "title": "x", "reported_by": "Jo"}
    base |= {"occurred_at": ZERO, "created_at": ZERO, "updated_at": ZERO}
    return Incident(**(base | settings))


def update(hours: float, status: IncidentStatus, by: str = "Jo", **components: Status) -> IncidentUpdate:
    ids = {"a": A, "b": B}
    return IncidentUpdate(
        id=uuid4(), organisation=B, page=C, incident=A, status=status, reported_by=by, created_at=at(hours),
        components=[Affected(component=ids[name], status=given) for name, given in components.items()],
        updated_at=at(hours),
    )  # fmt: skip


def told(it: Incident, *updates: IncidentUpdate) -> list[tuple[str, float, Status | None]]:
    names = {A: "a", B: "b"}
    return sorted((names[id_], (when - ZERO) / timedelta(hours=1), status) for id_, when, status in course(it, updates))


def test_updates_give_and_resolving_frees():
    it = incident(opened_with=[Affected(component=A, status=RED)], resolved_at=at(3))
    identified = update(1, IncidentStatus.identified, a=ORANGE, b=RED)
    resolved = update(3, IncidentStatus.resolved, a=ORANGE, b=RED)
    assert told(it, identified, resolved) == [
        ("a", 0, RED), ("a", 1, ORANGE), ("a", 3, None), ("b", 1, RED), ("b", 3, None),
    ]  # fmt: skip
    assert told(incident(opened_with=it.opened_with)) == [("a", 0, RED)]  # the updates were deleted


def test_reopened_incident_gives_again():
    it = incident(opened_with=[Affected(component=A, status=RED)])
    steps = update(1, IncidentStatus.resolved, a=RED), update(2, IncidentStatus.investigating, a=RED)
    assert told(it, *steps) == [("a", 0, RED), ("a", 1, None), ("a", 2, RED)]


def test_operational_hides_no_outage_and_what_nobody_reported_gives_nothing():
    it = incident(opened_with=[Affected(component=A, status=RED)], reported_by="")
    assert told(it, update(1, IncidentStatus.investigating, by="", a=RED, b=RED)) == []
    assert told(it, update(1, IncidentStatus.identified, a=GREEN, b=RED)) == [("b", 1, RED)]


def test_incident_that_was_opened_as_resolved_counts_until_then():
    it = incident(opened_with=[Affected(component=A, status=RED)], opened_as=IncidentStatus.resolved, resolved_at=at(2))
    assert told(it) == [("a", 0, RED), ("a", 2, None)]
