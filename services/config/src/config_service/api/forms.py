"""The values of settings as the API writes and reads them: one schema per key."""

from typing import Any

from marshmallow import fields, post_load, pre_dump

from config_service.api.shares import FRACTION, PERCENT, Share
from config_service.domain.fees import BoundedSlab, FeeSchedule, contiguous, upper_bounds
from service_kit.openapi import Schema


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
            "type": ["integer", "null"],
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
