"""What the config service refuses, by name."""


class ConfigError(Exception):
    """Base of the config service's refusals."""

    code = "CONFIG_REFUSED"


class InvalidFeeSchedule(ConfigError):
    """The fee schedule breaks a rule of its shape."""

    code = "INVALID_FEE_SCHEDULE"


class NoFeeSchedule(ConfigError):
    """No fee schedule has been set yet."""

    code = "NO_FEE_SCHEDULE"
