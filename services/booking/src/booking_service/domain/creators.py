"""Creators of shows, as far as selling their tickets goes (docs/rules.md#offers)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a creator's shows may be sold; a higher version is a later decision."""

    allowed: bool
    version: int


def is_newer(stored: Standing | None, said: Standing) -> bool:
    """Return whether a standing replaces the stored one."""
    return stored is None or said.version > stored.version
