"""Routes: GET /internal/fee-schedule · GET /api/v1/config/public · GET /api/v1/admin/fees."""

from typing import Any

from flask import Response, request
from marshmallow import fields

from config_service.api.rules import ADMIN, FEE_READERS
from config_service.api.wired import wired
from config_service.domain.fees import FeeSchedule, upper_bounds
from config_service.domain.settings import FEES, Version
from config_service.domain.values import BASIS_POINTS
from service_kit.access import EVERYONE, allow
from service_kit.openapi import Instant, Schema
from service_kit.routes import Blueprint

blp = Blueprint("fees", __name__, description="Fees: what buyers and creators pay the platform")


class SlabSchema(Schema):
    min_price = fields.Integer(required=True, metadata={"description": "whole rupees"})
    max_price = fields.Integer(required=True, metadata={"description": "whole rupees"})
    fee = fields.Float(required=True, metadata={"description": "share of the ticket price"})


class FeeConfigSchema(Schema):
    platform_fee_percent = fields.Float(required=True)
    fee_slabs = fields.List(fields.Nested(SlabSchema), required=True)
    version = fields.Integer(required=True)
    last_updated = Instant(required=True)


class AdminFeesResponse(Schema):
    fee_config = fields.Nested(FeeConfigSchema, required=True)


class PublicConfigResponse(Schema):
    fee_slabs = fields.List(fields.Nested(SlabSchema), required=True)
    version = fields.Integer(required=True)


class InternalSlabSchema(Schema):
    from_rupees = fields.Integer(required=True)
    basis_points = fields.Integer(required=True)


class FeeScheduleResponse(Schema):
    version = fields.Integer(required=True)
    platform_fee_basis_points = fields.Integer(required=True)
    slabs = fields.List(fields.Nested(InternalSlabSchema), required=True)


@blp.get("/api/v1/admin/fees")
@allow(ADMIN)
@blp.response(200, AdminFeesResponse)
def get_admin_fees() -> dict[str, Any]:
    """Show the fees in force"""
    current = _current()
    return {
        "fee_config": {
            "platform_fee_percent": current.value.platform_fee_basis_points * 100 / BASIS_POINTS,
            "fee_slabs": _wire_slabs(current.value),
            "version": current.number,
            "last_updated": current.effective_from,
        }
    }


@blp.get("/api/v1/config/public")
@allow(EVERYONE)
@blp.response(200, PublicConfigResponse)
def get_public_config() -> Response | dict[str, Any]:
    """Show what a buyer may know"""
    current = _current()
    return {"fee_slabs": _wire_slabs(current.value), "version": current.number}


@blp.get("/internal/fee-schedule")
@allow(FEE_READERS)
@blp.response(200, FeeScheduleResponse)
@blp.alt_response(304, description="`If-None-Match` names the version in force")
def get_fee_schedule() -> Any:
    """Give another service the fee schedule in force"""
    current = _current()
    etag = f"fees-{current.number}"
    if etag in request.if_none_match:
        return Response(status=304, headers={"ETag": f'"{etag}"'})
    answer = {
        "version": current.number,
        "platform_fee_basis_points": current.value.platform_fee_basis_points,
        "slabs": current.value.slabs,
    }
    return answer, 200, {"ETag": f'"{etag}"'}


def _current() -> Version[FeeSchedule]:
    with wired().read() as tx:
        return tx.settings.standing(FEES).current()


def _wire_slabs(schedule: FeeSchedule) -> list[dict[str, Any]]:
    return [
        {
            "min_price": slab.from_rupees,
            "max_price": upper,
            "fee": slab.basis_points / BASIS_POINTS,
        }
        for slab, upper in zip(schedule.slabs, upper_bounds(schedule.slabs), strict=True)
    ]
