"""What identity tells about creators: PUT /internal/creators/{id}/standing."""

from typing import Any
from uuid import UUID

from marshmallow import fields, validate

from catalog_service.api.rules import STANDING_WRITERS
from catalog_service.api.wired import wired
from catalog_service.domain.standings import Standing
from catalog_service.usecases.take_standing import take_standing
from service_kit.access import allow
from service_kit.openapi import Flag, Schema
from service_kit.routes import Blueprint

blp = Blueprint("standings", __name__, description="Creators, for other services")

MAX_VERSION = 2**63 - 1


class StandingRequest(Schema):
    allowed = Flag(required=True)
    version = fields.Integer(required=True, strict=True, validate=validate.Range(1, MAX_VERSION))


class StandingResponse(Schema):
    applied = fields.Boolean(required=True)
    version = fields.Integer(required=True, metadata={"description": "the version stored now"})


@blp.put("/internal/creators/<uuid:creator_id>/standing")
@allow(STANDING_WRITERS)
@blp.arguments(StandingRequest)
@blp.response(200, StandingResponse)
def put_standing(body: dict[str, Any], creator_id: UUID) -> dict[str, Any]:
    """Take over whether a creator's shows may be seen and sold; the newest version counts"""
    wanted = Standing(creator_id, **body)
    stored = take_standing(wired().begin, standing=wanted)
    return {"applied": stored == wanted, "version": stored.version}
