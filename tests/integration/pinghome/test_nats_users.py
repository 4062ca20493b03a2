"""Each NATS user can do its own things and is refused the others', on a real nats-server."""

# ruff: noqa: S603  # the nats-server of the wheel

import re
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import nats
import pytest
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig

from conftest import connected
from pinghome import region_users
from pinghome.nats import STORE_LIMIT, _binary
from pinghome_common.stream import Broker, Reader
from resource_cmd.scheduling.streams import STREAMS, make_streams

QUERIES = ["resource-query", "statistic-query"]
PROBERS = ["prober-eu-central-1", "prober-us-east-1"]
EVERYBODY = ["resource-cmd", *QUERIES, "data-gateway", *PROBERS]


@dataclass
class Person:
    client: Client
    js: JetStreamContext
    errors: list[str] = field(default_factory=list)

    async def flushed(self) -> None:
        """The server has all that was sent: flush alone pings it before what nats-py has not written yet."""
        await self.client._flush_pending(force_flush=True)
        await self.client.flush()

    async def refused(self, verb: str, subject: str) -> bool:
        """True when the server refuses to `publish` to or to `subscribe` to the subject."""
        self.errors.clear()
        await (self.client.publish(subject, b"x") if verb == "publish" else self.client.subscribe(subject))
        return await self.hears(f'{verb.replace("subscribe", "subscription")} to "{subject}"')

    async def hears(self, refusal: str) -> bool:
        """True when a refusal with these words has come before the answer to a ping; nats-py lowers their case."""
        await self.flushed()
        return any(refusal.lower() in error for error in self.errors)


@asynccontextmanager
async def person(broker, user: str) -> AsyncIterator[Person]:
    errors: list[str] = []

    async def hear(error: Exception) -> None:
        errors.append(str(error))

    prefix = f"_INBOX_{user.replace('-', '_')}".encode()
    client = await nats.connect(broker.url(user), inbox_prefix=prefix, error_cb=hear, allow_reconnect=False)
    yield Person(client, client.jetstream(timeout=1), errors)
    await client.close()


@pytest.fixture
async def streams(broker) -> AsyncIterator[None]:
    """The streams and the probers' consumers, as resource-cmd makes them."""
    async with Broker(broker.url("resource-cmd"), "resource-cmd") as service:
        await connected(service)
        await make_streams(service, 1, 1 << 30)
        await make_streams(service, 1, 1 << 30)  # a second start updates
    async with person(broker, "resource-cmd") as cmd:
        for prober in PROBERS:
            subject = f"job.{prober.removeprefix('prober-')}.>"
            config = ConsumerConfig(durable_name=prober, filter_subject=subject, ack_policy=AckPolicy.EXPLICIT)
            await cmd.js.add_consumer("SCHEDULES", config)
    return


@pytest.mark.usefixtures("streams")
async def test_resource_cmd_publishes_events_and_schedules_and_cancels_them(broker):
    async with person(broker, "resource-cmd") as cmd:
        await cmd.js.publish("events.resource.1", b"up")
        await cmd.js.publish("schedule.eu-central-1.1", b"probe")
        await cmd.js.publish("job.eu-central-1.1", b"probe at once")
        assert await cmd.js.purge_stream("SCHEDULES", subject="schedule.eu-central-1.1")
        assert (await cmd.js.get_last_msg("EVENTS", "events.resource.1")).data == b"up"
        assert (await cmd.js.get_last_msg("EVENTS", "events.resource.1", direct=True)).data == b"up"
        assert not cmd.errors


@pytest.mark.usefixtures("streams")
@pytest.mark.parametrize("user", [*QUERIES, "statuspage-query", "resource-cmd"])
async def test_projectors_read_events_and_telemetry(broker, user):
    async with person(broker, "data-gateway") as gateway, person(broker, "resource-cmd") as cmd:
        await gateway.js.publish("telemetry.ping.1", b"ping")
        await cmd.js.publish("events.heartbeat.1", b"made")
    async with Broker(broker.url(user), user) as service:
        await connected(service)
        for stream, subject, data in [
            ("EVENTS", "events.>", b"made"),
            ("TELEMETRY", "telemetry.>", b"ping"),
        ]:
            reader = Reader(service, stream, [subject], 0)
            assert [message.data for message in await reader.take()] == [data]
            await reader.stop()
            assert await service.head(stream) > 0
            last = await service.last(stream, subject.replace(">", "heartbeat.1"))
            assert (last.data if last else None) == (data if stream == "EVENTS" else None)


@pytest.mark.usefixtures("streams")
async def test_ordered_and_pull_consumers_of_nats_py_read_events(broker):
    async with person(broker, "resource-cmd") as cmd, person(broker, "resource-query") as query:
        await cmd.js.publish("events.resource.1", b"one")
        ordered = await query.js.subscribe("events.>", stream="EVENTS", ordered_consumer=True)
        assert (await ordered.next_msg(10)).data == b"one"
        pull = await query.js.pull_subscribe("events.>", stream="EVENTS", config=ConsumerConfig(ack_policy="none"))
        assert [message.data for message in await pull.fetch(1, 1)] == [b"one"]
        await ordered.unsubscribe()
        await pull.unsubscribe()
        assert not query.errors


@pytest.mark.usefixtures("streams")
@pytest.mark.parametrize("user", QUERIES)
async def test_commands_hear_the_echo_of_each_projection(broker, user):
    async with person(broker, "resource-cmd") as cmd, person(broker, user) as query:
        heard = await cmd.client.subscribe("echo.>")
        own = await query.client.subscribe(f"echo.{user}")
        await cmd.flushed()
        await query.client.publish(f"echo.{user}", b"seen")
        assert (await heard.next_msg(10)).data == b"seen"
        assert (await own.next_msg(10)).data == b"seen"


@pytest.mark.usefixtures("streams")
async def test_gateway_stores_pings_learns_keys_and_asks_resource_cmd(broker):
    async with person(broker, "resource-cmd") as cmd, person(broker, "data-gateway") as gateway:

        async def answer(message) -> None:
            await message.respond(b"created")

        await cmd.client.subscribe("request.heartbeat", cb=answer)
        await cmd.flushed()
        assert (await gateway.client.request("request.heartbeat", b"", timeout=10)).data == b"created"
        await gateway.js.publish("telemetry.ping.0", b"ping")
        await gateway.js.publish("telemetry.tick.0", b"tick")
        await cmd.js.publish("events.key.1", b"key")
        assert (await gateway.js.get_last_msg("EVENTS", "events.key.1", direct=True)).data == b"key"
        assert (await gateway.js.stream_info("TELEMETRY")).state.messages == 2
        learn = await gateway.js.subscribe("events.>", stream="EVENTS", ordered_consumer=True)
        assert (await learn.next_msg(10)).data == b"key"
        await learn.unsubscribe()
        assert not gateway.errors
        assert not cmd.errors


@pytest.mark.usefixtures("streams")
async def test_prober_takes_the_jobs_of_its_region_and_stores_results(broker):
    async with person(broker, "admin") as admin, person(broker, "prober-eu-central-1") as prober:
        await admin.js.publish("job.eu-central-1.7", b"probe")
        jobs = await prober.js.pull_subscribe_bind("prober-eu-central-1", stream="SCHEDULES")
        (job,) = await jobs.fetch(1, 1)
        await job.ack_sync(1)
        await prober.js.publish("telemetry.result.eu-central-1", b"up")
        info = await jobs.consumer_info()
        assert (job.data, info.num_ack_pending, info.num_pending) == (b"probe", 0, 0)
        assert not prober.errors


@pytest.mark.usefixtures("streams")
async def test_prober_answers_dry_runs_of_its_region_and_of_no_other(broker):
    async with person(broker, "resource-cmd") as cmd, person(broker, "prober-eu-central-1") as prober:

        async def answer(message) -> None:
            await message.respond(b"seen")

        await prober.client.subscribe("probe.eu-central-1", queue="prober", cb=answer)
        await prober.flushed()
        assert (await cmd.client.request("probe.eu-central-1", b"", timeout=10)).data == b"seen"
        with pytest.raises(nats.errors.NoRespondersError):
            await cmd.client.request("probe.us-east-1", b"", timeout=10)
        assert not cmd.errors
        assert not prober.errors
        assert await prober.refused("subscribe", "probe.us-east-1")
        assert await prober.refused("subscribe", "probe.>")
        assert await prober.refused("publish", "_INBOX_resource_cmd.x")


@pytest.mark.usefixtures("streams")
async def test_prober_cannot_take_the_jobs_of_another_region(broker):
    async with person(broker, "admin") as admin, person(broker, "prober-us-east-1") as prober:
        await admin.js.publish("job.eu-central-1.7", b"probe")
        jobs = await prober.js.pull_subscribe_bind("prober-eu-central-1", stream="SCHEDULES")
        with pytest.raises(TimeoutError):
            await jobs.fetch(1, 0.3)
        assert await prober.hears('publish to "$JS.API.CONSUMER.MSG.NEXT.SCHEDULES.prober-eu-central-1"')
        assert await prober.refused("publish", "$JS.ACK.SCHEDULES.prober-eu-central-1.1.1.1.1.0")
        assert await prober.refused("publish", "telemetry.result.eu-central-1")
        assert (await admin.js.consumer_info("SCHEDULES", "prober-eu-central-1")).num_pending == 1


STREAM_VERBS = [f"$JS.API.STREAM.{verb}.{name}" for verb in ("DELETE", "PURGE", "UPDATE", "CREATE") for name in STREAMS]
FORBIDDEN = {
    "resource-cmd": [
        *(f"$JS.API.STREAM.{verb}" for verb in ("DELETE.TELEMETRY", "PURGE.EVENTS", "PURGE.TELEMETRY")),
        "$JS.API.STREAM.CREATE.OTHER",
        "$JS.API.STREAM.MSG.DELETE.EVENTS",
        "$JS.API.CONSUMER.MSG.NEXT.SCHEDULES.prober-eu-central-1",
        *(
            "telemetry.ping.1",
            "telemetry.result.eu-central-1",
            "echo.resource-query",
            "request.x",
        ),
    ],
    **{
        query: [
            *STREAM_VERBS,
            *("events.resource.1", "telemetry.ping.1", "schedule.eu-central-1.1", "job.eu-central-1.1", "request.x"),
            *(f"echo.{other}" for other in QUERIES if other != query),
            "$JS.API.CONSUMER.CREATE.SCHEDULES.thief",
            "$JS.API.DIRECT.GET.SCHEDULES.schedule.eu-central-1.1",
        ]
        for query in QUERIES
    },
    "data-gateway": [
        *STREAM_VERBS,
        *("events.resource.1", "telemetry.result.eu-central-1", "schedule.eu-central-1.1", "job.eu-central-1.1"),
        *("echo.resource-query", "$JS.API.CONSUMER.CREATE.TELEMETRY.x", "$JS.API.CONSUMER.CREATE.SCHEDULES.x"),
        *("status.custom_metric.1", "$JS.API.STREAM.DELETE.STATUS_EVENTS", "$JS.API.STREAM.CREATE.STATUS_EVENTS"),
        "$JS.API.DIRECT.GET.SCHEDULES.schedule.eu-central-1.1",
    ],
    **{
        prober: [
            *STREAM_VERBS,
            *("events.resource.1", "telemetry.ping.1", "schedule.eu-central-1.1", "job.eu-central-1.1", "request.x"),
            *("echo.resource-query", "telemetry.result.other", "telemetry.result.>", "probe.eu-central-1"),
            *(
                f"$JS.API.CONSUMER.{verb}"
                for verb in ("CREATE.SCHEDULES.x", "CREATE.EVENTS.x", f"DELETE.SCHEDULES.{prober}")
            ),
            "$JS.API.DIRECT.GET.EVENTS.events.key.1",
            "$JS.API.STREAM.INFO.EVENTS",
            *("request.schedule.other", "request.schedule.>", "telemetry.prober.other", "telemetry.tick.x"),
            *(f"$JS.API.CONSUMER.CREATE.SCHEDULES.{prober}", f"$JS.API.CONSUMER.DURABLE.CREATE.SCHEDULES.{prober}"),
            f"$JS.API.CONSUMER.CREATE.SCHEDULES.x.schedule.{prober.removeprefix('prober-')}.>",
            f"$JS.API.DIRECT.GET.SCHEDULES.schedule.{prober.removeprefix('prober-')}.1",
            "$JS.API.STREAM.MSG.GET.SCHEDULES",
        ]
        for prober in PROBERS
    },
}


@pytest.mark.usefixtures("streams")
@pytest.mark.parametrize("user", EVERYBODY)
async def test_a_user_is_refused_what_is_not_its_own(broker, user):
    async with person(broker, user) as someone, person(broker, "admin") as admin:
        let_through = [subject for subject in FORBIDDEN[user] if not await someone.refused("publish", subject)]
        assert let_through == []
        assert someone.client.is_connected  # a refusal must not cost the connection
        for stream in STREAMS:
            assert (await admin.js.stream_info(stream)).state.messages == 0


@pytest.mark.parametrize("user", EVERYBODY)
async def test_nobody_listens_to_anothers_inbox_or_to_all(broker, user):
    async with person(broker, user) as someone:
        others = [f"_INBOX_{other.replace('-', '_')}.>" for other in EVERYBODY if other != user]
        for subject in [*others, "_INBOX.>", ">", "events.>", "telemetry.>", "$JS.API.>", "$SYS.>", "job.>"]:
            assert await someone.refused("subscribe", subject), subject


async def test_a_wrong_password_is_refused(broker):
    client = Client()
    with pytest.raises(nats.errors.Error, match="Authorization Violation"):
        await client.connect(broker.url("admin").replace("admin:", "admin:x"), allow_reconnect=False)
    await client.close()
    with pytest.raises(KeyError):
        broker.url("prober-nowhere")


async def test_a_store_larger_than_the_limit_is_refused_at_once(broker):
    async with person(broker, "admin") as admin:
        with pytest.raises(nats.js.errors.ServerError, match="insufficient storage"):
            await admin.js.add_stream(name="HUGE", subjects=["huge"], max_bytes=STORE_LIMIT + 1)


def test_each_region_is_a_file_that_the_configuration_includes(tmp_path):
    (tmp_path / "nats.conf").write_text("a\n    # End of the regions.\nz\n")
    words = [region_users.add(tmp_path, region, wish) for region, wish in (("ab-c-1", "word"), ("de-f-2", ""))]
    assert words == ["word", region_users.password(tmp_path, "de-f-2")]
    assert region_users.add(tmp_path, "ab-c-1") == "word"
    lines = ['    { include "regions/ab-c-1.conf" }\n', '    { include "regions/de-f-2.conf" }\n']
    for left, gone in ((lines, "nowhere"), (lines, "de-f-2"), (lines[:1], "ab-c-1"), ([], "ab-c-1")):
        region_users.include(tmp_path)
        assert (tmp_path / "nats.conf").read_text() == f"a\n{''.join(left)}    # End of the regions.\nz\n"
        region_users.remove(tmp_path, gone)


def test_an_operator_runs_the_same_file_with_passwords_in_the_environment():
    config = Path(__file__).parents[3] / "deploy" / "nats.conf"
    names = re.findall(r"\$(NATS_\w+)", config.read_text())
    assert len(names) == len(set(names)) == 1 + 8
    command = [_binary(), "-t", "-c", config]
    given = dict.fromkeys(names, "word") | {"NATS_MAX_FILE_STORE": "10GB"}
    assert subprocess.run(command, check=False, env=given, capture_output=True).returncode == 0
    for name in names:  # a forgotten password must not become an empty one
        without = {key: value for key, value in given.items() if key != name}
        assert subprocess.run(command, check=False, env=without, capture_output=True).returncode == 1
