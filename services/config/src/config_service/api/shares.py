"""Shares on the wire: basis points inside, a percentage or a fraction outside."""

from typing import Any

import marshmallow as ma

from config_service.domain.values import BASIS_POINTS
from service_kit.openapi import OtherNumber

PERCENT = BASIS_POINTS // 100  # basis points per percent
FRACTION = BASIS_POINTS
MAX_NUMBER = 10**6  # far above any share, exact as a float


class Share(OtherNumber):
    """Whole basis points, written in a unit of so many of them: `PERCENT` or `FRACTION`."""

    def __init__(self, unit: int, **kwargs: Any) -> None:
        what = "percent, at most two decimals" if unit == PERCENT else "a fraction: 0.08 is 8 %"
        super().__init__(metadata={"description": what}, **kwargs)
        self._unit = unit

    def _serialize(
        self,
        value: int | None,
        attr: str | None,  # noqa: ARG002 marshmallow's signature
        obj: Any,  # noqa: ARG002
        **kwargs: Any,  # noqa: ARG002
    ) -> float | None:
        return None if value is None else value / self._unit

    def _deserialize(
        self,
        value: Any,
        attr: str | None,  # noqa: ARG002 marshmallow's signature
        data: Any,  # noqa: ARG002
        **kwargs: Any,  # noqa: ARG002
    ) -> int:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ma.ValidationError("Not a number.")
        if not abs(value) <= MAX_NUMBER:  # NaN and infinity included
            raise ma.ValidationError("Not a share.")
        basis_points = round(value * self._unit)
        if abs(value * self._unit - basis_points) > 1e-6:
            raise ma.ValidationError("At most two decimals of a percent.")
        return basis_points
