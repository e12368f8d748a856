"""The catalog's Flask app."""

from typing import Any

from flask import Flask

from catalog_service.api import (
    admin_comedians,
    admin_shows,
    comedians,
    deletions,
    discovery,
    media,
    people,
    show_life,
    shows,
    standings,
)
from catalog_service.api.errors import STATUS
from catalog_service.api.kept_pages import KeptPages
from catalog_service.api.shared_answers import SharedAnswers
from catalog_service.domain.errors import CatalogError
from catalog_service.wiring import SERVICE, Wiring
from service_kit.web import ServiceDescription, service_app

DESCRIPTION = ServiceDescription(
    name=SERVICE,
    title="Comedy Connect: catalog",
    version="1",
    summary="Shows, comedians, line-ups and media: discovery, and the life of a show.",
)


def create_app(wiring: Wiring | None, *, pages: KeptPages | None = None) -> Flask:
    """Build the app.

    Args:
        wiring: the collaborators; without them the app can only describe itself.
        pages: where public answers are kept, if not as usual.
    """
    shared = SharedAnswers(pages or KeptPages())
    app = service_app(
        DESCRIPTION,
        blueprints=[
            discovery.blp,
            shows.blp,
            show_life.blp,
            comedians.blp,
            media.blp,
            standings.blp,
            admin_shows.blp,
            admin_comedians.blp,
            people.blp,
            deletions.blp,
        ],
        refusals=(CatalogError, STATUS),
        verifier=wiring.verifier if wiring else None,
        rates=wiring.rates if wiring else None,
        ready=wiring.ready if wiring else lambda: None,
        find_ready_answer=shared.ready_answer,
    )
    app.extensions["wiring"] = wiring
    app.extensions["shared_answers"] = shared
    return app


def openapi() -> dict[str, Any]:
    """Return the API document."""
    document: dict[str, Any] = create_app(None).extensions["openapi"]()
    return document
