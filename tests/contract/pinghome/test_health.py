"""How the platform is, for its operator: contract K, our extension; `test_replicas` sees what is away."""

from contract.answers import TIME, refused
from contract.client import Client
from contract.target import eventually

HEALTH = "resource-query/v1/health"
SERVICES = ["resource-cmd", "resource-query", "statistic-query", "statuspage-cmd", "statuspage-query", "data-gateway"]


async def test_every_service_stream_and_prober(client: Client):
    seen = await eventually(lambda: client.get(HEALTH), lambda it: it["ready"], 60)
    assert [each["name"] for each in seen["services"]] == SERVICES
    for each in seen["services"]:
        assert each["state"] == "ready"
        (replica,) = each["replicas"]
        assert replica["problems"] == {}
        assert replica["version"]
        assert 0 < replica["disk"]["free_bytes"] < replica["disk"]["total_bytes"]
    lag = {each["name"]: set(each["replicas"][0]["lag"]) for each in seen["services"]}
    assert lag["resource-query"] == {"EVENTS", "TELEMETRY"}
    assert lag["data-gateway"] == set()
    assert [each["name"] for each in seen["streams"]] == ["EVENTS", "TELEMETRY"]
    assert all(each["bytes"] > 0 for each in seen["streams"])
    assert seen["streams"][1]["max_bytes"] > 0
    assert {each["region"] for each in seen["regions"]} >= {"eu-central-1", "us-east-1"}
    assert all(TIME.fullmatch(it["last_heard_at"]) for each in seen["regions"] for it in each["probers"])


async def test_only_for_the_operator(client: Client, reader: Client, foreign: Client):
    for other in (reader, foreign):
        refused(await other("GET", HEALTH), 403)
    refused(await Client(client.http, "nobody")("GET", HEALTH), 401)
    assert (await client("HEAD", HEALTH)).status_code == 200
