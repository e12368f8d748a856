"""The values of settings as the API writes and reads them: one schema per key."""

from typing import Any

from marshmallow import fields, post_load, pre_dump

from config_service.api.shares import FRACTION, PERCENT, Share
from config_service.domain.fees import BoundedSlab, FeeSchedule, contiguous, upper_bounds
from config_service.domain.settings import (
    BOOKING_LIMITS,
    FEES,
    HOLD_TIME,
    REFUND_POLICY,
    RETENTION,
    Key,
)
from config_service.domain.values import (
    BookingLimits,
    HoldTime,
    RefundPolicy,
    RefundTier,
    Retention,
)
from service_kit.openapi import Flag, Schema


class SlabSchema(Schema):
    min_price = fields.Integer(
        required=True,
        strict=True,
        attribute="from_rupees",
        metadata={"description": "whole rupees"},
    )
    max_price = fields.Raw(
        load_default=None,
        attribute="to_rupees",
        metadata={
            "type": "integer",
            "description": "whole rupees: the next slab's minPrice - 1; anything in the last slab",
        },
    )
    fee = Share(FRACTION, required=True, attribute="basis_points")

    @post_load
    def _bounded(self, data: dict[str, Any], **_kwargs: Any) -> BoundedSlab:
        return BoundedSlab(**data)


class FeesSchema(Schema):
    platform_fee_percent = Share(PERCENT, required=True, attribute="platform_fee_basis_points")
    fee_slabs = fields.List(fields.Nested(SlabSchema), required=True, attribute="slabs")

    @pre_dump
    def _with_bounds(self, schedule: FeeSchedule, **_kwargs: Any) -> dict[str, Any]:
        return {
            "platform_fee_basis_points": schedule.platform_fee_basis_points,
            "slabs": wire_slabs(schedule),
        }

    @post_load
    def _schedule(self, data: dict[str, Any], **_kwargs: Any) -> FeeSchedule:
        return FeeSchedule(data["platform_fee_basis_points"], contiguous(data["slabs"]))


def wire_slabs(schedule: FeeSchedule) -> list[BoundedSlab]:
    """Return the slabs with the bounds that the wire has and the domain does not need."""
    return [
        BoundedSlab(slab.from_rupees, upper, slab.basis_points)
        for slab, upper in zip(schedule.slabs, upper_bounds(schedule.slabs), strict=True)
    ]


class BookingLimitsSchema(Schema):
    tickets_per_booking = fields.Integer(required=True, strict=True)
    tickets_per_person_and_show = fields.Integer(required=True, strict=True)

    @post_load
    def _limits(self, data: dict[str, Any], **_kwargs: Any) -> BookingLimits:
        return BookingLimits(**data)


class HoldTimeSchema(Schema):
    minutes = fields.Integer(required=True, strict=True)

    @post_load
    def _hold_time(self, data: dict[str, Any], **_kwargs: Any) -> HoldTime:
        return HoldTime(**data)


class RefundTierSchema(Schema):
    hours_before_start = fields.Integer(required=True, strict=True)
    refund_percent = Share(PERCENT, required=True, attribute="basis_points")

    @post_load
    def _tier(self, data: dict[str, Any], **_kwargs: Any) -> RefundTier:
        return RefundTier(**data)


class RefundPolicySchema(Schema):
    tiers = fields.List(fields.Nested(RefundTierSchema), required=True)
    refunds_convenience_fee = Flag(required=True)

    @post_load
    def _policy(self, data: dict[str, Any], **_kwargs: Any) -> RefundPolicy:
        return RefundPolicy(tuple(data["tiers"]), data["refunds_convenience_fee"])


class RetentionSchema(Schema):
    years = fields.Integer(required=True, strict=True)

    @post_load
    def _retention(self, data: dict[str, Any], **_kwargs: Any) -> Retention:
        return Retention(**data)


FORMS: dict[Key[Any], type[Schema]] = {
    FEES: FeesSchema,
    BOOKING_LIMITS: BookingLimitsSchema,
    HOLD_TIME: HoldTimeSchema,
    REFUND_POLICY: RefundPolicySchema,
    RETENTION: RetentionSchema,
}
