"""The service's log: one JSON line per event, or plain text for people.

Fields are ids, names, counts and times; never program text, its data or an environment.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
from contextvars import ContextVar
from datetime import UTC, datetime

REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")
FORMATS = ("text", "json")
_events = logging.getLogger(f"{__name__}.events")
_TEXT = "%(asctime)s %(name)s %(levelname)s %(message)s"
_ID = re.compile(r"[\w.:-]{1,64}")


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        fields = getattr(record, "fields", None)
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage() if fields is not None else "log",
        }
        if request_id := REQUEST_ID.get():
            line["request_id"] = request_id
        if fields is None:
            line |= {"logger": record.name, "message": record.getMessage()}
        if record.exc_info is not None:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line | (fields or {}))


def configure(log_format: str) -> None:
    """Sends the log to standard error.

    Args:
        log_format: One of ``FORMATS``; ``text`` leaves out the events of single runs.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(_JsonLines() if log_format == "json" else logging.Formatter(_TEXT))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    _events.setLevel(logging.INFO if log_format == "json" else logging.WARNING)


def event(name: str, **fields: object) -> None:
    """Notes that something happened; times are in seconds."""
    if _events.isEnabledFor(logging.INFO):
        _events.info(name, extra={"fields": fields})


def begin_request(wanted_id: str | None) -> str:
    """Gives the request that is being handled its id: the client's own when it is a plain word."""
    plain = wanted_id is not None and _ID.fullmatch(wanted_id)
    request_id = wanted_id if plain and wanted_id else secrets.token_hex(8)
    REQUEST_ID.set(request_id)
    return request_id
