"""A collector of events on loopback that judges what it gets as PostHog's /capture/ does."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from typing import Any

from tests.support.replies import Exchange, Reply, json_content, status
from tests.support.server import Server


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

    def is_taken(self) -> bool:
        """https://posthog.com/docs/api/capture"""
        event = self.event
        named = self.method == "POST" and event.get("event") and event.get("api_key")
        return bool(named) and 0 < len(event.get("distinct_id", "")) <= 200


class Collector:
    """Keeps every body, and takes those that are events; `reply` is what good ones are answered."""

    def __init__(self, server: Server) -> None:
        self.url = f"{server.url}/capture/"
        self.server = server
        self.reply: Reply = json_content({"status": "Ok"})
        self.deliveries: list[Delivery] = []
        self._arrived = threading.Condition()
        server.answer("/capture/", self)

    def send(self, exchange: Exchange) -> None:
        body = exchange.rfile.read(int(exchange.headers.get("Content-Length") or 0))
        delivery = Delivery(exchange.command, exchange.headers_in(), body)
        with self._arrived:
            self.deliveries.append(delivery)
            self._arrived.notify_all()
        (self.reply if delivery.is_taken() else status(400)).send(exchange)

    @property
    def events(self) -> list[dict[str, Any]]:
        return [delivery.event for delivery in self.deliveries]

    def wait_for(self, count: int) -> list[dict[str, Any]]:
        """The events, once there are so many."""
        with self._arrived:
            arrived = self._arrived.wait_for(lambda: len(self.deliveries) >= count, 30.0)
        assert arrived, f"{len(self.deliveries)} events arrived, not {count}"
        return self.events

    def forget(self) -> None:
        self.deliveries.clear()
