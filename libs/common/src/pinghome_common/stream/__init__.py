"""The only package that knows nats-py."""

from pinghome_common.stream.broker import Broker
from pinghome_common.stream.message import Message
from pinghome_common.stream.queue import Queue, Task
from pinghome_common.stream.reader import LONG, Reader
from pinghome_common.stream.scatter import ask_all

__all__ = ["LONG", "Broker", "Message", "Queue", "Reader", "Task", "ask_all"]
