"""Keeping limits and other settings up to date."""

from booking_service.clients.config import ConfigClient
from booking_service.domain.sale_rules import PlatformSettings
from booking_service.repositories.transaction import Begin
from service_kit.peers import PeerUnavailable


def refresh_platform_settings(begin: Begin, config: ConfigClient) -> PlatformSettings:
    """Ask the config service for the settings in force and keep them as the last good ones.

    Raises:
        PeerUnavailable: no usable answer, as from a release that does not know the question, or
            one that contradicts what this version was before or goes back to an older one, as after
            a restore; the last good settings stay.
    """
    with begin() as tx:
        known = tx.platform_settings.newest()
    settings = config.platform_settings()
    if known is not None and not settings.may_follow(known):
        raise PeerUnavailable.of(
            "config", f"answered with another version {settings.version} than was known"
        )
    with begin() as tx:
        tx.platform_settings.confirm(settings)
    return settings
