"""Searching a piece of data for all forms of all values at once."""

from collections.abc import Iterable, Iterator, Sequence

from ahocorasick_rs import BytesAhoCorasick

from erasure_scan.escapes import layers
from erasure_scan.forms import Form

Sighting = tuple[str, str]  # which value, in which encoding
ESCAPED = ", escaped"


class Matcher:
    """Finds forms in bytes, as they are and with their escapes undone."""

    def __init__(self, forms: Iterable[Form]) -> None:
        ordered = sorted(forms, key=lambda form: (form.value, form.encoding, form.text))
        self._cased = [form for form in ordered if form.cased]
        self._uncased = [form for form in ordered if not form.cased]
        self._cased_automaton = BytesAhoCorasick([form.text for form in self._cased])
        self._uncased_automaton = BytesAhoCorasick([form.text for form in self._uncased])
        self.longest = max(len(form.text) for form in ordered)

    def matches(self, piece: bytes) -> bool:
        """Return whether there may be any form in it."""
        return any(
            self._cased_automaton.find_matches_as_indexes(view)
            or self._uncased_automaton.find_matches_as_indexes(view.lower())
            for view in (piece, *layers(piece))
        )

    def sightings(self, piece: bytes) -> set[Sighting]:
        """Return which values are in it and how: escaped only if they are not there as they are."""
        found = set(self._seen(piece))
        for layer in layers(piece):
            deeper = set(self._seen(layer)) - found
            found |= {(value, f"{encoding}{ESCAPED}") for value, encoding in deeper}
        return found

    def _seen(self, view: bytes) -> Iterator[Sighting]:
        lowered = view.lower()
        yield from _sightings(self._cased, self._cased_automaton, view)
        yield from _sightings(self._uncased, self._uncased_automaton, lowered)


def _sightings(
    forms: Sequence[Form], automaton: BytesAhoCorasick, view: bytes
) -> Iterator[Sighting]:
    hits = automaton.find_matches_as_indexes(view, overlapping=True)
    for number in {number for number, _begin, _end in hits}:
        form = forms[number]
        if all(other in view for other in form.beside):
            yield form.value, form.encoding
