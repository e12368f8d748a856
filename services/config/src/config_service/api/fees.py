"""Routes: GET, POST, PUT /api/v1/admin/fees · GET /internal/fee-schedule."""

from typing import Any

from marshmallow import fields, validate

from config_service.api.etags import IF_MATCH, NOT_MODIFIED, seen_tags, tagged
from config_service.api.forms import SlabSchema, wire_slabs
from config_service.api.rules import ADMIN, FEE_READERS
from config_service.api.shares import PERCENT, Share
from config_service.api.wired import wired
from config_service.domain.fees import MAX_SLABS, FeeSchedule, contiguous
from config_service.domain.settings import FEES, MAX_REASON, Edit, Standing
from config_service.domain.values import BASIS_POINTS
from config_service.usecases.change_setting import change_setting
from service_kit.access import allow, current_caller
from service_kit.openapi import Instant, Schema
from service_kit.routes import Blueprint

blp = Blueprint("fees", __name__, description="Fees: what buyers and creators pay the platform")


class FeesRequest(Schema):
    slabs = fields.List(
        fields.Nested(SlabSchema), required=True, validate=validate.Length(1, MAX_SLABS)
    )
    platform_fee_percent = Share(PERCENT, load_default=None, allow_none=True)
    reason = fields.String(
        load_default="changed on the fees page", validate=validate.Length(1, MAX_REASON)
    )


class FeeConfigSchema(Schema):
    platform_fee_percent = Share(PERCENT, required=True)
    fee_slabs = fields.List(fields.Nested(SlabSchema), required=True)
    version = fields.Integer(required=True)
    last_updated = Instant(required=True)


class AdminFeesResponse(Schema):
    fee_config = fields.Nested(FeeConfigSchema, required=True)


class InternalSlabSchema(Schema):
    from_rupees = fields.Integer(required=True, validate=validate.Range(min=0))
    basis_points = fields.Integer(required=True, validate=validate.Range(0, BASIS_POINTS))


class FeeScheduleResponse(Schema):
    version = fields.Integer(required=True)
    platform_fee_basis_points = fields.Integer(
        required=True, validate=validate.Range(0, BASIS_POINTS)
    )
    slabs = fields.List(
        fields.Nested(InternalSlabSchema),
        required=True,
        validate=validate.Length(min=1),
        metadata={"description": "rising, the first one from 0"},
    )


@blp.get("/api/v1/admin/fees")
@allow(ADMIN)
@blp.response(200, AdminFeesResponse)
@blp.alt_response(304, description=NOT_MODIFIED)
def get_admin_fees() -> Any:
    """Show the fees in force"""
    return _fee_config(_standing())


@blp.post("/api/v1/admin/fees")
@allow(ADMIN)
@blp.doc(parameters=[IF_MATCH])
@blp.arguments(FeesRequest)
@blp.response(200, AdminFeesResponse)
@blp.alt_response(409, description="`CHANGE_SCHEDULED`, without `If-Match` only")
@blp.alt_response(412, description="`SETTING_CHANGED`: `If-Match` names another state")
@blp.alt_response(422, description="invalid fields, or `INVALID_FEE_SCHEDULE`")
def post_admin_fees(body: dict[str, Any]) -> Any:
    """Set the fees of all bookings made from now on"""
    return _set_fees(body)


@blp.put("/api/v1/admin/fees")
@allow(ADMIN)
@blp.doc(parameters=[IF_MATCH])
@blp.arguments(FeesRequest)
@blp.response(200, AdminFeesResponse)
@blp.alt_response(409, description="`CHANGE_SCHEDULED`, without `If-Match` only")
@blp.alt_response(412, description="`SETTING_CHANGED`: `If-Match` names another state")
@blp.alt_response(422, description="invalid fields, or `INVALID_FEE_SCHEDULE`")
def put_admin_fees(body: dict[str, Any]) -> Any:
    """Set the fees of all bookings made from now on, as POST does"""
    return _set_fees(body)


@blp.get("/internal/fee-schedule")
@allow(FEE_READERS)
@blp.response(200, FeeScheduleResponse)
@blp.alt_response(304, description=NOT_MODIFIED)
def get_fee_schedule() -> Any:
    """Give another service the fee schedule in force"""
    current = _standing().current()
    answer = {
        "version": current.number,
        "platform_fee_basis_points": current.value.platform_fee_basis_points,
        "slabs": current.value.slabs,
    }
    # booking makes up this tag from the number it knows
    return tagged(answer, f"fees-{current.number}")


def _set_fees(body: dict[str, Any]) -> Any:
    slabs = contiguous(body["slabs"])

    def change(now: Standing[FeeSchedule]) -> FeeSchedule:
        share = body["platform_fee_percent"]
        if share is None:  # absent: unchanged
            share = now.current().value.platform_fee_basis_points
        return FeeSchedule(share, slabs)

    return _fee_config(
        change_setting(
            wired().begin,
            key=FEES,
            change=change,
            edit=Edit(author=current_caller().id, reason=body["reason"]),
            expected=seen_tags(),
        )
    )


def _standing() -> Standing[FeeSchedule]:
    with wired().read() as tx:
        return tx.settings.standing(FEES)


def _fee_config(fees: Standing[FeeSchedule]) -> Any:
    current = fees.current()
    answer = {
        "fee_config": {
            "platform_fee_percent": current.value.platform_fee_basis_points,
            "fee_slabs": wire_slabs(current.value),
            "version": current.number,
            "last_updated": current.effective_from,
        }
    }
    return tagged(answer, fees.tag)
