"""What of this service's tables can be made again from the event logs."""

from pinghome_common.db import Connection
from pinghome_common.rebuild import Log, ReadModel
from pinghome_common.settings import Settings
from pinghome_common.stream import Broker
from statistic_query import notifications, recount
from statistic_query.app import partitions_of
from statistic_query.project import NOUNS, Projector


def read_model(broker: Broker, settings: Settings) -> ReadModel:
    """Changes of state, flips, notifications and owners; rollups as long as what they count is kept."""
    partitions = partitions_of(settings)

    async def forget_old(tx: Connection) -> None:
        await partitions.delete_old(tx)
        await tx.execute("SET LOCAL search_path = public, pg_temp")  # else temporary tables are found first
        await partitions.delete_old(tx)
        await tx.execute("SET LOCAL search_path TO DEFAULT")

    return ReadModel(
        database="statistic_query",
        logs=[
            Log(
                database="resource_cmd",
                stream="EVENTS",
                subjects=[f"events.{noun}.>" for noun in NOUNS],
                apply=Projector(broker, partitions).events,
            ),
            Log(
                database="statuspage_cmd",
                stream="STATUS_EVENTS",
                subjects=[f"status.{noun}.>" for noun in notifications.NOUNS],
                apply=notifications.pages,
            ),
        ],
        tables=["monitor", "state_change", "flip", "notification", "statuspage"],
        scratch=["ping_sequence", "ping_hour", "result_day", "latency_day", "series", "deleted_server", "metric_hour"],
        rollups=recount.rollups(settings),
        complete=forget_old,
    )
