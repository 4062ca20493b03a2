"""Samples of servers as agents send them: 7 metric types, 3 mounts, 2 disks and 2 interfaces."""

import random
from uuid import UUID, uuid4

from pinghome_common.events.metric import FIELDS, Figures, MetricBatch, Sample, encode
from pinghome_common.stream import Message

NAMES = {
    "disk-usage-unified": ("/", "/home", "/var/lib/postgresql"),
    "disk-io-unified": ("nvme0n1", "nvme1n1"),
    "network-usage-unified": ("eth0", "wlan0"),
}
COUNTED = ("disk-io-unified", "network-usage-unified")
VALUES = sum(len(fields) * len(NAMES.get(type_, "")) for type_, fields in FIELDS.items()) + sum(
    len(fields) for type_, fields in FIELDS.items() if type_ not in COUNTED
)
"""Values of one sample."""


def sample(server: UUID, at: int, number: int, chance: random.Random) -> Sample:
    """A sample; counters have grown with its number."""
    figures = [
        Figures(type_, "", [round(chance.uniform(0, 100), 2) for _ in fields])
        for type_, fields in FIELDS.items()
        if type_ not in COUNTED
    ]
    for type_, names in NAMES.items():
        counter = type_ in COUNTED
        for name in names:
            values = [float(number * 1000 + chance.randrange(1000)) for _ in FIELDS[type_]]
            figures.append(Figures(type_, name, values, counter))
    return Sample(server.bytes, at, at + 150_000, 10.0, figures)


def messages(servers: list[UUID], begin: int, rounds: int, first: int) -> list[Message]:
    """A message of the gateway each ten seconds, with a sample of every server; times are UNIX microseconds."""
    chance, boot = random.Random(first), uuid4().bytes
    found = []
    for number in range(rounds):
        at = begin + number * 10_000_000
        batch = MetricBatch(boot, number, [sample(it, at + place, number, chance) for place, it in enumerate(servers)])
        found.append(Message(first + number, "telemetry.metric.bench", encode(batch)))
    return found
