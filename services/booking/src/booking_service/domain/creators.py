"""Creators of shows, as far as selling their tickets goes (docs/rules.md#offers)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

PlatformFees: TypeAlias = Mapping[UUID, int | None]
"""The platform fee agreed with creators, in basis points; None: the configured one."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a creator's shows may be sold; a higher version is a later decision."""

    allowed: bool
    version: int


def is_newer(stored: Standing | None, said: Standing) -> bool:
    """Return whether a standing replaces the stored one."""
    return stored is None or said.version > stored.version
