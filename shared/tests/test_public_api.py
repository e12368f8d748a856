"""The API document for people outside, of an app with a route for them and one for services."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from marshmallow import fields

from service_kit.access import SIGNED_IN, allow, services
from service_kit.openapi import Schema
from service_kit.routes import Blueprint
from service_kit.testing import TokenIssuer
from service_kit.web import ServiceDescription, service_app


class Box(Schema):
    size = fields.Integer()


class Parcel(Schema):
    box = fields.Nested(Box)


class Secret(Schema):
    weight = fields.Integer()


def parcels() -> Blueprint:
    blp = Blueprint("parcels", __name__, description="Parcels")

    @blp.get("/api/v1/parcels")
    @allow(SIGNED_IN)
    @blp.response(200, Parcel)
    def get_parcel() -> dict[str, Any]:
        """Show a parcel"""
        return {}

    return blp


def internals() -> Blueprint:
    blp = Blueprint("internals", __name__, description="Between services")

    @blp.get("/internal/parcels")
    @allow(services("parcels:read"))
    @blp.response(200, Secret)
    def get_weight() -> dict[str, Any]:
        """Weigh a parcel"""
        return {}

    return blp


@pytest.fixture
def client() -> FlaskClient:
    app = service_app(
        ServiceDescription("parcels", "Parcels", "1", "Parcels."),
        blueprints=[parcels(), internals()],
        refusals=(Exception, {}),
        verifier=TokenIssuer().verifier("parcels"),
        ready=lambda: None,
    )
    return app.test_client()


def test_people_outside_read_of_the_routes_that_they_can_reach_only(client: FlaskClient) -> None:
    document = client.get("/openapi.json?part=public").json

    assert list(document["paths"]) == ["/api/v1/parcels"]
    assert [tag["name"] for tag in document["tags"]] == ["parcels"]
    assert document["components"]["schemas"].keys() == {"Parcel", "Box", "Problem"}
    assert document["components"]["securitySchemes"].keys() == {"session", "apiToken"}
    assert document["info"]["title"] == "Parcels"


def test_whoever_does_not_ask_for_a_part_gets_the_whole_document(client: FlaskClient) -> None:
    document = client.get("/openapi.json").json

    assert list(document["paths"]) == ["/api/v1/parcels", "/internal/parcels"]
    assert "Secret" in document["components"]["schemas"]


def test_the_public_part_is_sent_again_only_if_it_has_changed(client: FlaskClient) -> None:
    first = client.get("/openapi.json?part=public")
    etag = first.headers["ETag"]
    again = client.get("/openapi.json?part=public", headers={"If-None-Match": etag})

    assert first.headers["Cache-Control"] == "no-cache"
    assert (again.status_code, again.data) == (304, b"")
