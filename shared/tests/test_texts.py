"""What of a typed text is kept, and what is refused."""

import pytest
from marshmallow import ValidationError

from service_kit.openapi import Schema
from service_kit.texts import LongText, Text


class Card(Schema):
    name = Text()
    story = LongText()


@pytest.mark.parametrize(
    "name",
    ["a\nb", "a\tb", "a\x00b", "c\x1b[31m", "\b", "a\x85b", "\u202eevil", "\u2066evil", "\ud800"],
)
def test_a_text_has_no_character_that_steers_instead_of_being_read(name: str) -> None:
    with pytest.raises(ValidationError, match="Control characters are not allowed"):
        Card().load({"name": name})


@pytest.mark.parametrize("name", ["\u200b", "\u200b\u00ad \u2060", "\ufeff"])
def test_a_text_of_nothing_but_invisible_characters_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="nothing to see"):
        Card().load({"name": name})


@pytest.mark.parametrize(
    "name", ["Zoë O'Brien-Rao", "శ్రావ్య రావు", "क्\u200dष", "👩\u200d🎤 Asha", "a\u00a0b", "李"]
)
def test_names_of_the_world_and_what_joins_their_characters_are_kept(name: str) -> None:
    assert Card().load({"name": name}) == {"name": name}


def test_white_space_around_a_text_is_dropped() -> None:
    assert Card().load({"name": " Asha\n", "story": "\n\nPuns.  "}) == {
        "name": "Asha",
        "story": "Puns.",
    }


def test_a_long_text_has_lines_but_nothing_else_that_steers() -> None:
    assert Card().load({"story": "One\r\nTwo\n\tThree"}) == {"story": "One\nTwo\n\tThree"}
    with pytest.raises(ValidationError, match="Control characters are not allowed"):
        Card().load({"story": "One\n\u202eTwo"})
