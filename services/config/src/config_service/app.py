"""The config service's Flask app."""

from typing import Any

from flask import Flask

from config_service.api import deletions, fees, people, public, settings
from config_service.api.errors import STATUS
from config_service.domain.errors import ConfigError
from config_service.wiring import SERVICE, Wiring
from service_kit.web import ServiceDescription, service_app

DESCRIPTION = ServiceDescription(
    name=SERVICE,
    title="Comedy Connect: config",
    version="1",
    summary="Platform configuration: fees, slabs, limits; every version with author and reason.",
)


def create_app(wiring: Wiring | None) -> Flask:
    """Build the app; without wiring it can only describe itself."""
    app = service_app(
        DESCRIPTION,
        blueprints=[fees.blp, people.blp, public.blp, settings.blp, deletions.blp],
        refusals=(ConfigError, STATUS),
        verifier=wiring.verifier if wiring else None,
        rates=wiring.rates if wiring else None,
        ready=wiring.ready if wiring else lambda: None,
    )
    app.extensions["wiring"] = wiring
    return app


def openapi() -> dict[str, Any]:
    """Return the API document."""
    document: dict[str, Any] = create_app(None).extensions["openapi"]()
    return document
