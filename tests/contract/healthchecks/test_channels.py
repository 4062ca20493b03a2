"""Channels that are assigned in this dialect: by id, by name, all, none; and that they are told."""

from typing import Any
from uuid import uuid4

import pytest

from contract.client import Client
from contract.healthchecks.conftest import Project
from contract.target import eventually, listening


@pytest.fixture
async def channels(empty: Project, client: Client) -> list[dict[str, Any]]:
    names = ["Email to Alice", "SMS to Alice", "duplicate", "duplicate"]
    return [await client.channel(name=name, service_id=empty.service) for name in names]


async def test_channels_are_named_by_id_by_name_all_or_none(empty: Project, channels: list[dict[str, Any]]):
    alice, sms, *twins = (each["id"] for each in channels)
    everything = ",".join(sorted([alice, sms, *twins]))
    it = await empty.create()
    path = f"checks/{it['uuid']}"
    for sent, shown in (
        ("*", everything),
        ("", ""),
        (alice, alice),
        ("Email to Alice,SMS to Alice", ",".join(sorted([alice, sms]))),
        (f"Email to Alice,{alice}", alice),
        (f"{twins[1]}", twins[1]),
    ):
        assert (await empty("POST", path, json={"channels": sent})).json()["channels"] == shown
        assert (await empty.get(path))["channels"] == shown
        assert (await empty.create(channels=sent))["channels"] == shown
    await empty("POST", path, json={"channels": "*"})
    assert (await empty("POST", path, json={"name": "x"})).json()["channels"] == everything
    assert (await empty.get("channels/")) == {
        "channels": [{"id": each["id"], "name": each["name"], "kind": "webhook"} for each in channels]
    }


async def test_bad_channel_leaves_the_check_untouched_and_creates_nothing(
    empty: Project, channels: list[dict[str, Any]], client: Client, foreign: Client
):
    elsewhere, theirs = (await client.channel(name="Elsewhere"))["id"], (await foreign.channel())["id"]
    it = await empty.create(name="untouched")
    alice = channels[0]["id"]
    for sent, message in (
        ("nobody", "invalid channel identifier: nobody"),
        (f"{alice},nobody,duplicate", "invalid channel identifier: nobody"),
        (" Email to Alice", "invalid channel identifier:  Email to Alice"),
        (alice.upper(), f"invalid channel identifier: {alice.upper()}"),
        (elsewhere, f"invalid channel identifier: {elsewhere}"),
        ("Elsewhere", "invalid channel identifier: Elsewhere"),
        (theirs, f"invalid channel identifier: {theirs}"),
        (str(uuid4()), None),
        ("duplicate", "non-unique channel identifier: duplicate"),
        (f"{alice},", "empty channel identifier"),
        (",", "empty channel identifier"),
        ("*,*", "invalid channel identifier: *"),
    ):
        for path in ("checks/", f"checks/{it['uuid']}"):
            answer = await empty("POST", path, json={"name": "changed", "channels": sent})
            assert (answer.status_code, answer.json()["error"]) == (
                400,
                message or f"invalid channel identifier: {sent}",
            )
    assert (await empty.get("checks/"))["checks"] == [it]


async def test_assigned_channel_is_told_when_a_check_goes_down_and_up_and_no_other_is(empty: Project, client: Client):
    async with listening() as receiver, listening() as silent:
        await client.channel(name="told", service_id=empty.service, config={"url": receiver.url})
        await client.channel(name="silent", service_id=empty.service, config={"url": silent.url})
        it = await empty.create(name="Nightly", channels="told")
        mute = await empty.create(name="Mute")
        for each in (it, mute):
            await empty.ping(each, "complete", "fail")
        await empty.ping(it, "complete")

        async def told() -> str:
            return "".join(asked.body for asked in receiver.asked)

        seen = await eventually(told, lambda seen: "Nightly is up again" in seen)
        assert "Nightly is down" in seen
        assert "Mute" not in seen
        assert silent.asked == []
