"""nats-py's JetStream, of which a refused publication ends."""

import nats.js.errors
from nats.aio.msg import Msg
from nats.js.client import JetStreamContext


class JetStream(JetStreamContext):
    """Publishes; what the stream refuses raises to whoever waits for it."""

    async def _handle_async_reply(self, msg: Msg) -> None:
        try:
            await super()._handle_async_reply(msg)
        except nats.js.errors.Error as refusal:  # nats-py 2.16 raises it here and never completes the future
            token = msg.subject[len(self._nc._inbox_prefix) + 22 + 2 :]  # noqa: SLF001  # as nats-py finds it
            if (future := self._publish_async_futures.get(token)) and not future.done():
                future.set_exception(refusal)
