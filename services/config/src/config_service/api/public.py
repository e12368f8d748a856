"""Routes: GET /api/v1/config/public · GET /internal/booking-settings."""

from collections.abc import Sequence
from typing import Any

from marshmallow import fields, validate

from config_service.api.etags import NOT_MODIFIED, tagged
from config_service.api.forms import (
    BookingLimitsSchema,
    RefundPolicySchema,
    SlabSchema,
    wire_slabs,
)
from config_service.api.rules import FEE_READERS
from config_service.api.wired import wired
from config_service.domain.settings import (
    BOOKING_LIMITS,
    FEES,
    HOLD_TIME,
    REFUND_POLICY,
    RETENTION,
    Version,
)
from config_service.domain.values import BASIS_POINTS, MAX_HOLD_MINUTES
from service_kit.access import EVERYONE, allow
from service_kit.openapi import Schema
from service_kit.rate_limits import CROWD, limited
from service_kit.routes import Blueprint

AT_LEAST_ONE = validate.Range(min=1)

blp = Blueprint("in-force", __name__, description="What is in force, for those it concerns")


class PublicConfigResponse(Schema):
    fee_slabs = fields.List(fields.Nested(SlabSchema), required=True)
    version = fields.Integer(required=True, metadata={"description": "of the fees"})
    booking_limits = fields.Nested(BookingLimitsSchema, required=True)
    hold_minutes = fields.Integer(required=True)
    refund_policy = fields.Nested(RefundPolicySchema, required=True)


class InternalTierSchema(Schema):
    hours_before_start = fields.Integer(required=True, validate=validate.Range(min=0))
    basis_points = fields.Integer(required=True, validate=validate.Range(0, BASIS_POINTS))


class InternalRefundPolicySchema(Schema):
    tiers = fields.List(
        fields.Nested(InternalTierSchema),
        required=True,
        metadata={"description": "falling, the longest time first"},
    )
    refunds_convenience_fee = fields.Boolean(required=True)


class BookingSettingsResponse(Schema):
    version = fields.Integer(
        required=True, metadata={"description": "grows with every change of what is said here"}
    )
    tickets_per_booking = fields.Integer(required=True, validate=AT_LEAST_ONE)
    tickets_per_person_and_show = fields.Integer(required=True, validate=AT_LEAST_ONE)
    hold_minutes = fields.Integer(required=True, validate=validate.Range(1, MAX_HOLD_MINUTES))
    refund_policy = fields.Nested(InternalRefundPolicySchema, required=True)
    retention_years = fields.Integer(required=True)


@blp.get("/api/v1/config/public")
@allow(EVERYONE)
@limited(CROWD)
@blp.response(200, PublicConfigResponse)
@blp.alt_response(304, description=NOT_MODIFIED)
def get_public_config() -> Any:
    """Show what a buyer may know"""
    with wired().read() as tx:
        fees = tx.settings.standing(FEES).current()
        limits = tx.settings.standing(BOOKING_LIMITS).current()
        hold_time = tx.settings.standing(HOLD_TIME).current()
        refund_policy = tx.settings.standing(REFUND_POLICY).current()
    answer = {
        "fee_slabs": wire_slabs(fees.value),
        "version": fees.number,
        "booking_limits": limits.value,
        "hold_minutes": hold_time.value.minutes,
        "refund_policy": refund_policy.value,
    }
    tag = f"public-{_sum_of_numbers([fees, limits, hold_time, refund_policy])}"
    return tagged(answer, tag, cache_control="no-cache")  # may be kept, is to be asked for


@blp.get("/internal/booking-settings")
@allow(FEE_READERS)
@blp.response(200, BookingSettingsResponse)
@blp.alt_response(304, description=NOT_MODIFIED)
def get_booking_settings() -> Any:
    """Give booking what it sells by, beside the fees"""
    with wired().read() as tx:
        limits = tx.settings.standing(BOOKING_LIMITS).current()
        hold_time = tx.settings.standing(HOLD_TIME).current()
        refund_policy = tx.settings.standing(REFUND_POLICY).current()
        retention = tx.settings.standing(RETENTION).current()
    version = _sum_of_numbers([limits, hold_time, refund_policy, retention])
    answer = {
        "version": version,
        "tickets_per_booking": limits.value.tickets_per_booking,
        "tickets_per_person_and_show": limits.value.tickets_per_person_and_show,
        "hold_minutes": hold_time.value.minutes,
        "refund_policy": refund_policy.value,
        "retention_years": retention.value.years,
    }
    return tagged(answer, f"settings-{version}")  # booking makes up this tag from the version


def _sum_of_numbers(in_force: Sequence[Version[Any]]) -> int:
    """Return a number that grows with every change, as that of no version in force goes back."""
    return sum(version.number for version in in_force)
