"""The provider inside a test's own process, and a hand on its controls."""

import logging
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests
from werkzeug.serving import make_server

from fakes.razorpay.app import create_app
from fakes.razorpay.settings import Settings

NOWHERE = "http://127.0.0.1:9/webhooks"


@dataclass(frozen=True, slots=True)
class Simulator:
    """The provider at `url`, and what a test may ask of it beyond its API."""

    url: str

    def control(self, method: str, path: str, **body: Any) -> Any:
        """Ask the control endpoint; the answer must be a success."""
        answer = requests.request(method, f"{self.url}/control/{path}", json=body, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def fail(self, **faults: Any) -> None:
        """Have these faults, and no other, from now on."""
        self.control("PUT", "faults", **faults)

    def pay(self, order_id: str, **wish: Any) -> dict[str, str]:
        """Pay as at the checkout; return what it hands to the browser."""
        told: dict[str, str] = self.control("POST", f"orders/{order_id}/payments", **wish)
        return told

    def webhooks(self) -> list[dict[str, Any]]:
        """Return every webhook made so far, oldest first."""
        answer = requests.get(f"{self.url}/control/webhooks", timeout=30)
        found: list[dict[str, Any]] = answer.json()["items"]
        return found


@contextmanager
def running_simulator(settings: Settings) -> Iterator[Simulator]:
    """Serve a provider with these settings, its port excepted, while the block lasts."""
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    server = make_server("127.0.0.1", 0, create_app(settings), threaded=True)
    threading.Thread(target=server.serve_forever, name="razorpay", daemon=True).start()
    try:
        yield Simulator(f"http://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        server.server_close()


def any_merchant(*, webhook_url: str = NOWHERE) -> Settings:
    """Return a merchant with keys of its own."""
    return Settings(
        bind="127.0.0.1",
        port=0,
        key_id="rzp_test_merchant",
        key_secret=secrets.token_urlsafe(24),
        webhook_secret=secrets.token_urlsafe(32),
        webhook_url=webhook_url,
    )
