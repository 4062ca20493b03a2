"""Automatic incidents: what opens, joins, resolves and reopens them, and what does not."""

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

from pinghome_common.events.incident import Incident, IncidentStatus
from pinghome_common.events.statuspage import StatusPage
from statuspage_cmd.incidents import automatic
from statuspage_cmd.incidents.automatic import RECHECK, Act, Decision, Watched
from statuspage_cmd.incidents.incident import edit, edit_update
from statuspage_cmd.subscriptions.wording import of_incident
from unit.statuspage_cmd.made import BANK, MAIL, SHOP, at, page

PAGE = page(auto_incidents=True, auto_incident_delay=180)
NAMES = {SHOP: "Shop", BANK: "Bank", MAIL: "Mail"}


def watched(
    id_: UUID, since: float, *, down: bool = True, told: float | None = None, maintained: bool = False
) -> Watched:
    return Watched(
        id=id_, name=NAMES[id_], down=down, since=at(since), maintained=maintained,
        told=None if told is None else at(told),
    )  # fmt: skip


def decide(
    minutes: float, *components: Watched, incident: Incident | None = None, by_people: Any = (), it: StatusPage = PAGE
) -> Decision:
    return automatic.decide(it, components, incident, set(by_people), at(minutes))


def ids(decision: Decision) -> list[UUID]:
    return [each.id for each in decision.components]


def opened(*components: Watched, minutes: float = 3) -> Incident:
    return automatic.opened(uuid4(), PAGE, components, at(minutes))


def resolved(it: Incident, minutes: float) -> Incident:
    return automatic.updated(uuid4(), it, PAGE, Decision(act=Act.resolve), at(minutes))[0]


def test_blip_opens_nothing_and_an_outage_after_the_delay():
    assert decide(2, watched(SHOP, 0)) == Decision(look_at=at(3))
    assert decide(2, watched(SHOP, 1, down=False)) == Decision()
    decision = decide(3, watched(SHOP, 0), watched(BANK, 2))
    assert (decision.act, ids(decision), decision.look_at) == (Act.open, [SHOP], at(5))
    it = opened(*decision.components)
    assert (it.title, it.occurred_at, it.automatic, it.reported_by) == ("Shop is down", at(0), True, "")
    assert [each.component for each in it.components] == [SHOP]


def test_page_that_does_not_want_any_gets_none_but_an_open_one_ends():
    assert decide(9, watched(SHOP, 0), it=page(auto_incidents=True, enabled=False)) == Decision()
    it = page(auto_incidents=False)
    assert decide(9, watched(SHOP, 0), it=it) == Decision()
    assert decide(9, watched(SHOP, 0), incident=opened(watched(SHOP, 0)), it=it) == Decision()
    assert decide(9, watched(SHOP, 5, down=False), incident=opened(watched(SHOP, 0)), it=it).act is Act.resolve


def test_further_components_join_after_their_own_delay():
    it, shop = opened(watched(SHOP, 0)), watched(SHOP, 0, told=0)
    assert decide(4, shop, watched(BANK, 2), incident=it).act is None
    decision = decide(5, shop, watched(BANK, 2), incident=it)
    assert (decision.act, ids(decision)) == (Act.join, [BANK])
    it, update = automatic.updated(uuid4(), it, PAGE, decision, at(5))
    assert [each.component for each in it.components] == [SHOP, BANK]
    assert (update.message, it.title) == ("Bank is down, too.", "Shop is down")


def test_it_is_resolved_when_all_have_been_well_for_the_delay():
    it = opened(watched(SHOP, 0), watched(BANK, 0))
    assert decide(9, watched(SHOP, 5, down=False), watched(BANK, 0, told=0), incident=it) == Decision()
    well = watched(SHOP, 5, down=False), watched(BANK, 7, down=False)
    assert decide(9, *well, incident=it) == Decision(look_at=at(10))
    assert decide(10, *well, incident=it).act is Act.resolve
    assert decide(10, incident=it).act is Act.resolve  # what it named is gone
    after = resolved(it, 10)
    assert (after.status, after.resolved_at, after.automatic) == (IncidentStatus.resolved, at(10), True)
    assert decide(20, *well, incident=after) == Decision()


def test_failing_again_within_half_an_hour_reopens_it():
    it = resolved(opened(watched(SHOP, 0)), 10)
    decision = decide(43, watched(SHOP, 40, told=0), incident=it)
    assert (decision.act, decision.told) == (Act.reopen, decision.components)
    again, update = automatic.updated(uuid4(), it, PAGE, decision, at(43))
    assert (again.status, again.resolved_at, update.message) == (
        IncidentStatus.investigating,
        None,
        "Shop is down again.",
    )
    assert decide(44, watched(SHOP, 41, told=0), incident=it).act is Act.open
    assert decide(43, watched(BANK, 40), incident=it).act is Act.open  # another component


def test_outage_is_told_once_even_if_people_resolve_or_delete_the_incident():
    assert decide(60, watched(SHOP, 0, told=0)) == Decision()
    assert decide(60, watched(SHOP, 50, told=0)).act is Act.open


def test_what_people_tell_of_is_left_to_them():
    decision = decide(3, watched(SHOP, 0), watched(BANK, 0), by_people=[SHOP])
    assert (ids(decision), [each.id for each in decision.told]) == ([BANK], [SHOP, BANK])
    assert decide(3, watched(SHOP, 0), by_people=[SHOP]).act is None


def test_outage_within_maintenance_waits_for_its_end():
    assert decide(9, watched(SHOP, 0, maintained=True)) == Decision(look_at=at(9) + RECHECK)
    assert decide(9, watched(SHOP, 0)).act is Act.open


def test_names_are_listed_and_never_html():
    components = [watched(SHOP, 0), watched(BANK, 0), watched(MAIL, 0)]
    assert opened(*components[:2]).title == "Shop and Bank are down"
    assert opened(*components).title == "Shop, Bank and Mail are down"
    assert opened(*components, *components).title == "Shop, Bank and 4 more are down"
    named = Watched(id=SHOP, name="<b>A & B</b>", down=True, since=at(0))
    it = opened(named)
    assert it.title == "<b>A & B</b> is down"
    assert it.message == "<p>Our monitoring reports that &lt;b&gt;A &amp; B&lt;/b&gt; is down.</p>"


def test_words_are_the_clocks_until_people_change_them():
    it = opened(watched(SHOP, 0), watched(BANK, 0))
    assert edit(it, {"title": it.title, "impact": None}, at(4)).composed == ["title", "message"]
    assert edit(it, {"title": "Disk"}, at(4)).composed == ["message"]
    assert edit(it, {"title": "Disk", "message": "Full"}, at(4)).composed == []
    _, update = automatic.updated(uuid4(), it, PAGE, Decision(act=Act.join, components=[watched(MAIL, 0)]), at(4))
    assert update.composed == ["message"]
    assert edit_update(update, PAGE, {"message": "Disk"}, at(5)).composed == []


def test_subscribers_hear_of_what_is_shown():
    it = opened(watched(SHOP, 0), watched(BANK, 0))
    hidden = replace(PAGE, components=[replace(each, showcased=each.id == SHOP) for each in PAGE.components])
    assert of_incident(PAGE, it, None, "published")[0] == "Investigating: Shop and Bank are down"
    assert of_incident(hidden, it, None, "published")[0] == "Investigating: Shop is down"
