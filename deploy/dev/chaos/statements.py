"""What the text of a statement says: whether it ends a transaction, and what it could change."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

_COMMIT = re.compile(r"\s*(COMMIT|END)\b(?!\s+PREPARED)", re.IGNORECASE)
_CHANGE = re.compile(
    r"(?<!FOR )(?<!KEY )(?<!DO )"  # SELECT … FOR [NO KEY] UPDATE, ON CONFLICT DO UPDATE
    r"\b(?P<verb>INSERT|UPDATE|DELETE|MERGE|TRUNCATE|COPY(?=[^;]*\bFROM\b))\s+"
    r"(?:(?:INTO|FROM|TABLE|ONLY)\s+)*(?P<table>[\w\"]+(?:\.[\w\"]+)?)",
    re.IGNORECASE,
)
_COUNTS = re.compile(r"(INSERT 0|UPDATE|DELETE|MERGE|COPY|SELECT) \d+$")


@dataclass(frozen=True, slots=True)
class Statement:
    """One message's SQL."""

    commits: bool
    changes: tuple[str, ...]  # what it may change, such as "INSERT booking.booking", in order

    def wrote(self, tag: str) -> bool:
        """Tell by its outcome ("UPDATE 0") whether the statement changed something.

        One that may change several tables is believed to: the tag counts the rows of one only.
        """
        if len(self.changes) != 1 or not _COUNTS.match(tag):
            return bool(self.changes)
        return not tag.endswith(" 0")


class Grammar:
    """Reads statements; of functions it takes those to write that it was told of."""

    def __init__(self, writing_functions: Iterable[str] = ()) -> None:
        self.learn(writing_functions)

    def learn(self, writing_functions: Iterable[str]) -> None:
        """Know these functions, named without their schema, from now on."""
        names = "|".join(map(re.escape, sorted(set(writing_functions))))
        self._call = re.compile(rf"\b({names})\s*\(") if names else None
        self.read = lru_cache(maxsize=4096)(self._read)

    def _read(self, text: str) -> Statement:
        plain = " ".join(text.split())
        found = [(match.start(), _change(match)) for match in _CHANGE.finditer(plain)]
        if self._call:
            found += [(match.start(), f"{match[1]}()") for match in self._call.finditer(plain)]
        changes = dict.fromkeys(change for _, change in sorted(found))
        return Statement(bool(_COMMIT.match(plain)), tuple(changes))


def _change(match: re.Match[str]) -> str:
    return f"{match['verb'].upper()} {match['table']}".replace('"', "")
