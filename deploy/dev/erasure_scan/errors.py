"""Why a scan proves nothing."""


class ScanError(Exception):
    """The scan cannot be made as asked for; the message says why, in one line."""


class TooShort(ScanError):
    """A value that would be found everywhere."""


class Unreadable(ScanError):
    """Something that had to be searched cannot be read."""
