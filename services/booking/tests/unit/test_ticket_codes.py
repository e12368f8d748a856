"""Nobody but the holder of the private key writes a code, and everybody can read one."""

import base64
from collections.abc import Callable
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from booking_service.domain.errors import TicketInvalid
from booking_service.domain.ticket_codes import Seat, key_id, read_code, write_code

KEY, OTHER_KEY = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
SEAT = Seat(UUID(int=1), UUID(int=2), 3, paid=True)

seats = st.builds(Seat, st.uuids(), st.uuids(), st.integers(1, 10), paid=st.booleans())


@given(seats)
def test_a_code_says_which_seat_of_which_booking_of_which_show_it_is_for(seat: Seat) -> None:
    code = write_code(seat, KEY)

    read = read_code(code)

    assert read.key_id == key_id(KEY.public_key())
    assert read.seat(KEY.public_key()) == seat


@given(seats)
def test_a_seat_has_one_code(seat: Seat) -> None:
    assert write_code(seat, KEY) == write_code(seat, KEY)


@given(seats, st.integers(0, 167), st.sampled_from(ALPHABET))
def test_a_code_with_another_character_in_it_is_none(seat: Seat, place: int, other: str) -> None:
    code = write_code(seat, KEY)
    altered = code[:place] + other + code[place + 1 :]

    if altered != code:
        with pytest.raises(TicketInvalid):
            read_code(altered).seat(KEY.public_key())


@given(seats)
def test_a_code_that_somebody_else_wrote_is_none(seat: Seat) -> None:
    with pytest.raises(TicketInvalid):
        read_code(write_code(seat, OTHER_KEY)).seat(KEY.public_key())


@given(st.text() | st.text(ALPHABET, min_size=168, max_size=168))
def test_what_nobody_wrote_is_no_code(text: str) -> None:
    with pytest.raises(TicketInvalid):
        read_code(text).seat(KEY.public_key())


@pytest.mark.parametrize(
    "spoil",
    [
        lambda code: code.lower(),
        lambda code: code + "\n",
        lambda code: " " + code,
        lambda code: code + "=",
        lambda code: code[:-8],
        lambda code: code + "A" * 8,
        lambda code: code.replace("A", "0"),
        lambda _code: "",
    ],
)
def test_a_code_has_one_spelling(spoil: Callable[[str], str]) -> None:
    with pytest.raises(TicketInvalid):
        read_code(spoil(write_code(SEAT, KEY)))


def test_a_code_of_another_version_is_refused_though_it_is_signed() -> None:
    facts = b"\x02" + read_code(write_code(SEAT, KEY)).facts[1:]
    code = base64.b32encode(facts + KEY.sign(facts)).decode()

    with pytest.raises(TicketInvalid):
        read_code(code)


def test_a_code_is_laid_out_as_the_rules_say() -> None:
    raw = base64.b32decode(write_code(Seat(UUID(int=1), UUID(int=2), 3, paid=False), KEY))

    assert len(raw) == 105
    assert raw[0] == 1
    assert base64.urlsafe_b64encode(raw[1:7]).decode() == key_id(KEY.public_key())
    assert UUID(bytes=raw[7:23]) == UUID(int=1)
    assert UUID(bytes=raw[23:39]) == UUID(int=2)
    assert (raw[39], raw[40]) == (3, 1)
    KEY.public_key().verify(raw[41:], raw[:41])
