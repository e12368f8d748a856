"""Webhooks: signed, sent from a thread of their own, again and again until answered with 2xx."""

import hashlib
import heapq
import hmac
import json
import random
import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests

from fakes.razorpay.entities import new_id
from fakes.razorpay.faults import Faults, WebhookFault

TIMEOUT_SECONDS = 5.0
FIRST_RETRY_SECONDS = 0.5
LONGEST_RETRY_SECONDS = 60.0
SUCCESS = range(200, 300)
MOST_ATTEMPTS = 24 * 60  # about a day


@dataclass
class Event:
    """One webhook, and how far it got: waiting, held, dropped, delivered, or given up."""

    id: str
    name: str
    body: bytes
    signature: str
    attempts_left: int = MOST_ATTEMPTS
    status: str = "waiting"
    attempts: int = 0
    answered: int | None = None  # the status of the newest answer

    def shown(self) -> dict[str, Any]:
        """Return the event as JSON has it."""
        return {
            "id": self.id,
            "event": self.name,
            "status": self.status,
            "attempts": self.attempts,
            "answered": self.answered,
            "body": self.body.decode(),
            "signature": self.signature,
        }


class Webhooks:
    """Everything that was announced, and the thread that delivers it in the order of its time."""

    def __init__(self, url: str, secret: str, faults: Faults) -> None:
        self._url = url
        self._secret = secret
        self._faults = faults
        self._changed = threading.Condition()
        self._events: list[Event] = []
        self._due: list[tuple[float, int, Event]] = []
        self._scheduled = 0
        threading.Thread(target=self._deliver, name="webhooks", daemon=True).start()

    def announce(self, name: str, entities: Mapping[str, dict[str, Any]]) -> None:
        """Send an event, or not, as the faults of this moment say."""
        fault = self._faults.webhooks
        delay = self._faults.delay_seconds if fault is WebhookFault.DELAY else 0.0
        with self._changed:
            for _ in range(2 if fault is WebhookFault.DUPLICATE else 1):
                event = self._make(name, entities, forged=fault is WebhookFault.FORGE)
                self._events.append(event)
                if fault is WebhookFault.DROP:
                    event.status = "dropped"
                elif fault is WebhookFault.HOLD:
                    event.status = "held"
                else:
                    self._schedule(event, delay)

    def release(self, order: str) -> int:
        """Send what is held: as_made, reversed or shuffled; return how many."""
        with self._changed:
            held = [event for event in self._events if event.status == "held"]
            if order == "reversed":
                held.reverse()
            elif order == "shuffled":
                random.shuffle(held)
            for event in held:
                event.status = "waiting"
                self._schedule(event, 0.0)
            return len(held)

    def send_again(self, event_id: str) -> dict[str, Any] | None:
        """Send an event once more, whatever became of it; None if there is none."""
        with self._changed:
            for event in self._events:
                if event.id == event_id:
                    event.status = "waiting"
                    self._schedule(event, 0.0)
                    return event.shown()
        return None

    def shown(self) -> list[dict[str, Any]]:
        """Return all events, oldest first."""
        with self._changed:
            return [event.shown() for event in self._events]

    def _make(self, name: str, entities: Mapping[str, dict[str, Any]], *, forged: bool) -> Event:
        document = {
            "entity": "event",
            "account_id": "acc_simulated",
            "event": name,
            "contains": list(entities),
            "payload": {kind: {"entity": entity} for kind, entity in entities.items()},
            "created_at": int(time.time()),
        }
        body = json.dumps(document).encode()
        secret = secrets.token_urlsafe() if forged else self._secret
        signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        return Event(new_id("evt"), name, body, signature, 1 if forged else MOST_ATTEMPTS)

    def _schedule(self, event: Event, delay: float) -> None:
        """Put an event in the queue; call it with the condition held."""
        self._scheduled += 1
        heapq.heappush(self._due, (time.monotonic() + delay, self._scheduled, event))
        self._changed.notify()

    def _deliver(self) -> None:
        with requests.Session() as session:
            session.trust_env = False
            while True:
                event = self._next()
                answered = self._post(session, event)
                with self._changed:
                    self._conclude(event, answered)

    def _next(self) -> Event:
        """Wait until an event is due and take it."""
        with self._changed:
            while True:
                wait = self._due[0][0] - time.monotonic() if self._due else None
                if wait is not None and wait <= 0:
                    return heapq.heappop(self._due)[2]
                self._changed.wait(wait)

    def _post(self, session: requests.Session, event: Event) -> int | None:
        try:
            answer = session.post(
                self._url,
                data=event.body,
                headers={
                    "Content-Type": "application/json",
                    "X-Razorpay-Signature": event.signature,
                    "X-Razorpay-Event-Id": event.id,
                },
                timeout=TIMEOUT_SECONDS,
                allow_redirects=False,
            )
        except requests.RequestException:
            return None
        return answer.status_code

    def _conclude(self, event: Event, answered: int | None) -> None:
        event.attempts += 1
        event.attempts_left -= 1
        event.answered = answered
        if answered in SUCCESS:
            event.status = "delivered"
        elif event.attempts_left > 0:
            pause = FIRST_RETRY_SECONDS * 2 ** min(event.attempts - 1, 16)
            self._schedule(event, min(pause, LONGEST_RETRY_SECONDS))
        else:
            event.status = "given up"
