"""What the config service refuses, by name."""


class ConfigError(Exception):
    """Base of the config service's refusals."""

    code = "CONFIG_REFUSED"


class InvalidFeeSchedule(ConfigError):
    """The fee schedule breaks a rule of its shape."""

    code = "INVALID_FEE_SCHEDULE"


class InvalidSetting(ConfigError):
    """The value breaks a rule of its key."""

    code = "INVALID_SETTING"


class EffectiveFromRefused(ConfigError):
    """A version can start neither in the past nor in the far future."""

    code = "EFFECTIVE_FROM_REFUSED"


class SettingChanged(ConfigError):
    """The setting is no longer the one the caller has seen; nothing was changed."""

    code = "SETTING_CHANGED"


class ChangeScheduled(ConfigError):
    """A change is scheduled that the caller does not say to know of; nothing was changed."""

    code = "CHANGE_SCHEDULED"


class AccountClosed(ConfigError):
    """This account is being deleted."""

    code = "ACCOUNT_CLOSED"


class AnotherDeletion(ConfigError):
    """Another deletion has this person, or this deletion is another person's."""

    code = "ANOTHER_DELETION"


class NotSetUp(ConfigError):
    """No value of the key is in force yet."""

    code = "NOT_SET_UP"
