"""What becomes of a check: filters, updates, upserts, the limit, pauses, and what pings and silence make of it."""

import asyncio
from datetime import datetime, timedelta

import pytest

from contract.healthchecks.conftest import Project
from contract.target import eventually


async def test_tags_filter_whole_words_and_all_of_them(empty: Project):
    both = await empty.create(name="both", tags="foo bar")
    foo = await empty.create(name="foo", tags="foo  foobar")
    await empty.create(name="none", tags="FOO")
    for tags, found in (
        (["foo"], [both, foo]),
        (["foo", "bar"], [both]),
        (["fo"], []),
        (["foo", "x"], []),
        (["%"], []),
    ):
        assert (await empty.get("checks/", tag=tags))["checks"] == found
    assert (await empty.get("checks/", slug="foo"))["checks"] == [foo]
    assert (await empty.get("checks/", slug="Foo"))["checks"] == []
    assert len((await empty.get("checks/", nothing="x"))["checks"]) == 3


async def test_update_changes_what_is_sent_and_nothing_else(empty: Project):
    it = await empty.create(
        name="One", tags="a", desc="d", timeout=120, grace=60, methods="POST", subject="OK", tz="Europe/Riga"
    )
    path = f"checks/{it['uuid']}"
    for sent, changed in (
        ({"name": "Renamed Ā Check"}, {"slug": "renamed-a-check"}),
        ({"tags": "x y", "desc": ""}, {}),
        ({"grace": 31_536_000, "timeout": 60}, {}),
        ({"methods": "", "manual_resume": True, "subject": "", "subject_fail": "ERROR,FAIL"}, {}),
    ):  # fmt: skip
        it = it | sent | changed
        assert (await empty("POST", path, json=sent)).json() == it
        assert await empty.get(path) == it
    del it["timeout"]
    it |= {"schedule": "0,30 * * * *", "tz": "Europe/Riga"}
    assert (await empty("POST", path, json={"schedule": it["schedule"], "timeout": 300})).json() == it
    assert (await empty("POST", path, json={"name": it["name"]})).json() == it
    del it["schedule"], it["tz"]
    assert (await empty("POST", path, json={"timeout": 300})).json() == it | {"timeout": 300}


async def test_unique_finds_the_oldest_that_has_all_listed_fields_and_updates_it(empty: Project):
    first = await empty.create(name="Backups", tags="a", timeout=60)
    second = await empty.create(name="Backups", tags="b", grace=120)
    for sent, found in (
        ({"name": "Backups", "unique": ["name"], "desc": "new"}, first),
        ({"name": "Backups", "tags": "b", "unique": ["name", "tags"]}, second),
        ({"timeout": 60, "unique": ["timeout"]}, first),
        ({"grace": 120, "unique": ["grace", "grace"]}, second),
    ):
        answer = await empty("POST", "checks/", json=sent)
        assert (answer.status_code, answer.json()["uuid"]) == (200, found["uuid"])
    assert (await empty.get(f"checks/{first['uuid']}"))["desc"] == "new"
    for sent in (
        {"name": "backups", "unique": ["name"]},
        {"unique": ["name"]},
        {"name": "Backups", "unique": ["name", "grace"]},
        {"name": "Backups", "unique": []},
        {"name": "Backups"},
    ):
        assert (await empty("POST", "checks/", json=sent)).status_code == 201


async def test_equal_upserts_at_once_make_one_check(empty: Project, name: str):
    sent = {"name": name, "unique": ["name"]}
    answers = await asyncio.gather(*(empty("POST", "checks/", json=sent) for _ in range(20)))
    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [201]
    assert len({answer.json()["uuid"] for answer in answers}) == 1
    assert len((await empty.get("checks/"))["checks"]) == 1


async def test_upserts_that_could_match_the_same_check_wait_for_each_other(empty: Project, name: str):
    """Whatever they list: one of them makes the check, all others find it."""
    sent = {"name": name, "tags": "a b", "timeout": 3600, "grace": 60}
    lists = (["name"], ["name", "tags"], ["tags"], ["timeout", "grace"], ["name", "grace"])
    answers = await asyncio.gather(*(empty("POST", "checks/", json=sent | {"unique": lists[n % 5]}) for n in range(30)))
    assert sorted(answer.status_code for answer in answers) == [200] * 29 + [201]
    assert len({answer.json()["uuid"] for answer in answers}) == 1


async def test_limit_refuses_creating_without_a_word_and_nothing_else(empty: Project):
    answers = await asyncio.gather(*(empty("POST", "checks/", json={"name": f"{n}"}) for n in range(355)))
    assert sorted(answer.status_code for answer in answers) == [201] * 350 + [403] * 5
    assert {answer.content for answer in answers if answer.status_code == 403} == {b""}
    listed = (await empty.get("checks/"))["checks"]
    assert len(listed) == 350
    await empty("DELETE", f"checks/{listed.pop()['uuid']}")
    answers = await asyncio.gather(*(empty("POST", "checks/", json={"channels": "*"}) for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [201, 403, 403]
    sent = {"name": listed[0]["name"], "unique": ["name"]}
    assert (await empty("POST", "checks/", json=sent)).status_code == 200
    assert (await empty("POST", "checks/", json={"channels": "nobody"})).status_code == 403  # before channels
    assert (await empty("POST", "checks/", json={"name": 1})).status_code == 400
    assert (await empty("DELETE", f"checks/{listed[1]['uuid']}")).status_code == 200
    await empty.create()


async def test_success_and_failure_show_at_once(project: Project, name: str):
    it = await project.create(name=name, timeout=3600, grace=60)
    await project.ping(it, "complete")
    seen = await project.get(f"checks/{it['uuid']}")
    assert (seen["status"], seen["n_pings"]) == ("up", 1)
    last, following = (datetime.fromisoformat(seen[each]) for each in ("last_ping", "next_ping"))
    assert following - last == timedelta(hours=1)
    assert seen["last_ping"].endswith("+00:00")
    await project.ping(it, "fail")
    seen = await project.get(f"checks/{it['uuid']}")
    assert (seen["status"], seen["next_ping"], seen["n_pings"]) == ("down", None, 2)


async def test_pause_is_not_ended_by_a_ping_that_was_answered_before_it(project: Project, name: str):
    it = await project.create(name=name)
    path = f"checks/{it['uuid']}"
    for round_ in range(5):
        await project.ping(it, "complete", "run")
        paused = (await project("POST", f"{path}/pause")).json()
        assert (paused["status"], paused["started"], paused["n_pings"]) == ("paused", False, 2 * round_ + 2)
        assert (paused["next_ping"], paused["last_ping"] is None) == (None, False)
        assert await project.get(path) == paused
        await project.ping(it, "complete")
        assert (await project.get(path))["status"] == "up"
        await project("POST", f"{path}/pause")
        new = (await project("POST", f"{path}/resume")).json()
        assert (new["status"], new["last_ping"]) == ("new", None)
        assert await project.get(path) == new
        it = await project.create(name=name)
        path = f"checks/{it['uuid']}"
        await project.ping(it, *["complete"] * (2 * round_ + 2))
        await project("POST", f"{path}/pause")


async def test_pause_with_manual_resume_is_ended_by_hand_only(project: Project, name: str):
    it = await project.create(name=name, manual_resume=True)
    path = f"checks/{it['uuid']}"
    answer = await project("POST", f"{path}/resume")
    assert (answer.status_code, answer.text) == (409, "check is not paused")
    await project("POST", f"{path}/pause")
    await project.ping(it, "complete")
    seen = await project.get(path)
    assert (seen["status"], seen["n_pings"]) == ("paused", 1)
    assert (await project("POST", f"{path}/resume")).json()["status"] == "new"
    await project.ping(it, "complete")
    assert (await project.get(path))["status"] == "up"


@pytest.mark.timeout(200)
async def test_list_tells_the_same_as_each_check_whatever_its_state(empty: Project):
    fields = [{"timeout": 60, "grace": 60}, {"schedule": "*/5 * * * *", "tz": "America/New_York"}, {"channels": "*"}]
    for n, pings in enumerate(
        ([], ["complete"], ["fail"], ["run"], ["complete", "run"], ["run", "complete"], ["fail", "run"])
    ):
        for more in fields:
            it = await empty.create(name=f'{n} "quoted" \u2028 é', tags="a b", **more)
            await empty.ping(it, *pings)
    for version in (1, 2, 3):
        empty.version = version
        for key in (empty.key, empty.reading):

            async def both(key: str = key) -> tuple[list, list]:
                listed = (await empty.get("checks/", key))["checks"]
                names = [each.get("uuid") or each["unique_key"] for each in listed]
                return listed, [await empty.get(f"checks/{name}", key) for name in names]

            listed, _ = await eventually(both, lambda seen: seen[0] == seen[1])  # one may go down meanwhile
            assert len(listed) == 21
            assert len({each["status"] for each in listed}) == (4 if version == 1 else 3)
