"""What a scan has found, without repeating it."""

from collections import Counter
from dataclasses import dataclass, field

MOST_EXAMPLES = 10


@dataclass(slots=True)
class Finding:
    """Where something is left of a person, and as what; never the value or the row itself."""

    place: str  # schema.table.column, or a file
    value: str  # what the value is called, such as EMAIL
    encoding: str
    count: int = 0
    examples: list[str] = field(default_factory=list)  # keys of rows, or offsets in the file

    def __str__(self) -> str:
        more = self.count - len(self.examples)
        shown = "; ".join(self.examples) + (f"; and {more} more" if more else "")
        return f"{self.place}: {self.value}, {self.encoding} ({shown})"


@dataclass(slots=True)
class Evidence:
    """What was searched, and what was found there."""

    rows: Counter[str] = field(default_factory=Counter)  # by schema.table
    files: Counter[str] = field(default_factory=Counter)  # by folder
    findings: list[Finding] = field(default_factory=list)
    _known: dict[tuple[str, str, str], Finding] = field(default_factory=dict)

    def add(self, place: str, value: str, encoding: str, example: str) -> None:
        """Count one sighting; the first ones of a kind are kept as examples."""
        key = place, value, encoding
        if key not in self._known:
            self._known[key] = Finding(*key)
            self.findings.append(self._known[key])
        finding = self._known[key]
        if example in finding.examples:
            return
        finding.count += 1
        if len(finding.examples) < MOST_EXAMPLES:
            finding.examples.append(example)
