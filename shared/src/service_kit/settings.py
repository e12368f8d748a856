"""Settings from the environment: every problem reported at once, no default secrets."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

MIN_SECRET_LENGTH = 32
_ENCRYPTION_KEY = re.compile("[A-Za-z0-9_-]{43}=")
DEVELOPMENT = "development"
PRODUCTION = "production"


class SettingsError(Exception):
    """The environment does not describe a service that may start."""


class EnvironmentReader:
    """Reads typed values and remembers what is wrong with them.

    A value stands in the variable itself or, as secrets do in containers, in the file that
    `<NAME>_FILE` names; the end of its last line is not part of it.
    """

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self.problems: list[str] = []

    def text(self, name: str, default: str | None = None) -> str:
        """Return a non-empty value; without a default the variable is required."""
        value = self._given(name) or default
        if value is None:
            self.problems.append(f"{name} is not set")
            return ""
        return value

    def integer(self, name: str, default: int | None = None, *, at_least: int = 0) -> int:
        """Return a whole number of at least `at_least`."""
        raw = self.text(name, None if default is None else str(default))
        if raw and raw.isascii() and raw.isdigit() and int(raw) >= at_least:
            return int(raw)
        if raw:
            self.problems.append(f"{name} must be a whole number of at least {at_least}")
        return at_least

    def url(self, name: str, default: str | None = None) -> str:
        """Return an absolute URL without a trailing slash."""
        raw = self.text(name, default)
        parts = urlsplit(raw)
        if raw and not (parts.scheme and parts.hostname):
            self.problems.append(f"{name} must be an absolute URL")
        return raw.rstrip("/")

    def choice(self, name: str, options: tuple[str, ...], default: str | None = None) -> str:
        """Return one of `options`."""
        raw = self.text(name, default)
        if raw and raw not in options:
            self.problems.append(f"{name} must be one of {', '.join(options)}")
        return raw

    def secret(self, name: str, *, length: int = MIN_SECRET_LENGTH) -> str:
        """Return a secret of at least `length` characters that is not a mere pattern."""
        return self.secrets(name, at_most=1, length=length)[0]

    def secrets(
        self, name: str, *, at_most: int, length: int = MIN_SECRET_LENGTH
    ) -> tuple[str, ...]:
        """Return secrets separated by commas, the first one for new uses."""
        raw = self.text(name)
        found = tuple(raw.split(",")) if at_most > 1 else (raw,)
        if len(found) > at_most:
            self.problems.append(f"{name} has more than {at_most} secrets")
        if raw and any(len(each) < length or len(set(each)) < length // 4 for each in found):
            self.problems.append(f"{name} is too weak: {length} random characters or more")
        return found

    def encryption_keys(self, name: str) -> tuple[str, ...]:
        """Return Fernet keys, separated by commas: one, or several while it is being replaced."""
        raw = self.text(name)
        keys = tuple(key.strip() for key in raw.split(","))
        if raw and not all(map(_ENCRYPTION_KEY.fullmatch, keys)):
            self.problems.append(
                f"{name} must be 32 random bytes in URL-safe base64, or several such"
            )
        return keys

    def _given(self, name: str) -> str:
        value, file = self._values.get(name, ""), self._values.get(f"{name}_FILE", "")
        if not file:
            return value
        if value:
            self.problems.append(f"{name} and {name}_FILE are both set")
            return value
        try:
            return Path(file).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            self.problems.append(f"{name}_FILE cannot be read ({type(error).__name__})")
            return ""


@contextmanager
def reading(values: Mapping[str, str]) -> Iterator[EnvironmentReader]:
    """Read settings inside the block; at its end refuse all of them if any is wrong.

    Raises:
        SettingsError: names every missing or invalid variable, never its value.
    """
    reader = EnvironmentReader(values)
    yield reader
    if reader.problems:
        raise SettingsError("cannot start: " + "; ".join(reader.problems))
