"""Shares on the wire."""

from typing import Any

from marshmallow import ValidationError

from service_kit.openapi import OtherNumber

BASIS_POINTS = 100  # in a percent


class Percent(OtherNumber):
    """A share that is whole basis points inside and a number of percent, 0 to 100, on the wire."""

    def _serialize(self, value: int | None, *_args: Any, **_kwargs: Any) -> float | int | None:
        if value is None:
            return None
        whole, rest = divmod(value, BASIS_POINTS)
        return whole if rest == 0 else value / BASIS_POINTS

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValidationError("Not a number.")
        if not 0 <= value <= 100:  # NaN included
            raise ValidationError("Between 0 and 100.")
        basis_points = round(value * BASIS_POINTS)
        if abs(value * BASIS_POINTS - basis_points) > 1e-6:
            raise ValidationError("At most two decimals.")
        return basis_points
