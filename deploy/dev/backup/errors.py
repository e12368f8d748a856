"""Why a backup is not made or not restored."""


class BackupError(Exception):
    """Nothing was changed; the message says why and what to do, in a line or with a tool's own."""
