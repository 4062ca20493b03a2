"""Structured logs: JSON lines with the request's id and without data from clients."""

import logging
import sys
import traceback

from pinghome_common.errors import DomainError

# structlog imports rich if it can, for tracebacks that we do not print: an eighth of a service's start, and 5 MB.
_rich = sys.modules.get("rich")
sys.modules["rich"] = None  # type: ignore[assignment]
import structlog  # noqa: E402
from structlog.contextvars import bound_contextvars  # noqa: E402
from structlog.typing import EventDict, WrappedLogger  # noqa: E402

del sys.modules["rich"]
if _rich:
    sys.modules["rich"] = _rich

__all__ = ["bound_contextvars", "configure", "error_text", "log"]

log = structlog.get_logger()

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def configure(level: str) -> None:
    """Sets up structlog for the process; a terminal gets colours, anything else JSON."""
    terminal = sys.stderr.isatty()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            _without_message,
            structlog.dev.ConsoleRenderer() if terminal else structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS.get(level, logging.INFO)),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def error_text(error: BaseException) -> str:
    """An error for the log: its type, and its message unless that may quote a client."""
    own = isinstance(error, (DomainError, RuntimeError, OSError))
    return f"{type(error).__name__}: {str(error)[:300]}" if own else type(error).__name__


def _without_message(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Replaces `exc_info` by the error's type and stack, because its message may quote a client."""
    info = event.pop("exc_info", None)
    error = sys.exc_info()[1] if info is True else info
    if isinstance(error, BaseException):
        frames = traceback.extract_tb(error.__traceback__)
        event["error"] = error_text(error)
        event["stack"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-12:]]
    return event
