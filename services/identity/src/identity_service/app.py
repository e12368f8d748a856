"""The identity service's Flask app."""

from typing import Any

from flask import Flask

from identity_service.api import (
    account_deletions,
    admin_deletions,
    audit,
    contacts,
    creator_profiles,
    creators,
    credentials,
    exchange,
    export,
    onboarding,
    people,
    profile,
    second_factor,
    service_tokens,
    sessions,
    sign_in,
)
from identity_service.api.errors import STATUS
from identity_service.domain.errors import IdentityError
from identity_service.wiring import SERVICE, Wiring
from service_kit.web import ServiceDescription, service_app

DESCRIPTION = ServiceDescription(
    name=SERVICE,
    title="Comedy Connect: identity",
    version="1",
    summary="People: sign-in, sessions and who may be what; tokens for services.",
)


def create_app(wiring: Wiring | None) -> Flask:
    """Build the app; without wiring it can only describe itself."""
    app = service_app(
        DESCRIPTION,
        blueprints=[
            sign_in.blp,
            sessions.blp,
            credentials.blp,
            onboarding.blp,
            creator_profiles.blp,
            profile.blp,
            export.blp,
            account_deletions.blp,
            admin_deletions.blp,
            second_factor.blp,
            creators.blp,
            audit.blp,
            exchange.blp,
            service_tokens.blp,
            people.blp,
            contacts.blp,
        ],
        refusals=(IdentityError, STATUS),
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
