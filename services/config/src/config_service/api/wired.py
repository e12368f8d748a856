"""How routes reach their collaborators."""

from typing import cast

from flask import current_app

from config_service.wiring import Wiring


def wired() -> Wiring:
    """Return the wiring `create_app` was given."""
    return cast("Wiring", current_app.extensions["wiring"])
