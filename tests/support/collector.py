"""A collector of events on loopback that judges what it gets as PostHog's /capture/ does."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from typing import Any

from tests.support.replies import Exchange, Reply, json_content, status
from tests.support.server import Server

_PATH = "/capture/"
_TAKEN = json_content({"status": "Ok"})


@dataclass(frozen=True)
class Delivery:
    """One POST, whatever it was answered."""

    method: str
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        value = json.loads(self.body)
        assert isinstance(value, dict)
        return value

    @property
    def properties(self) -> dict[str, Any]:
        value = self.event["properties"]
        assert isinstance(value, dict)
        return value


class Collector:
    """Keeps every body, and takes those that are events; `reply` is what good ones are answered."""

    def __init__(self, server: Server) -> None:
        self.url = f"{server.url}{_PATH}"
        self.server = server
        self.reply: Reply = _TAKEN
        self.deliveries: list[Delivery] = []
        self._arrived = threading.Condition()
        server.answer(_PATH, self)

    def send(self, exchange: Exchange) -> None:
        delivery = Delivery(exchange.method(), exchange.headers_in(), exchange.read_body())
        with self._arrived:
            self.deliveries.append(delivery)
            self._arrived.notify_all()
        (_refusal(delivery) or self.reply).send(exchange)

    @property
    def events(self) -> list[dict[str, Any]]:
        return [delivery.event for delivery in self.deliveries]

    def wait_for(self, count: int, timeout: float = 30.0) -> list[dict[str, Any]]:
        """The events, once there are so many."""
        with self._arrived:
            if not self._arrived.wait_for(lambda: len(self.deliveries) >= count, timeout):
                raise AssertionError(f"{len(self.deliveries)} events arrived, not {count}")
        return self.events

    def forget(self) -> None:
        self.deliveries.clear()


def _refusal(delivery: Delivery) -> Reply | None:
    """https://posthog.com/docs/api/capture: what is no event gets 400, one without a key 401."""
    try:
        event = json.loads(delivery.body)
    except ValueError:
        return status(400)
    if delivery.method != "POST" or not isinstance(event, dict) or not event.get("event"):
        return status(400)
    if not event.get("api_key"):
        return status(401)
    distinct_id = event.get("distinct_id")
    if not isinstance(distinct_id, str) or not 0 < len(distinct_id) <= 200:
        return status(400)
    return None
