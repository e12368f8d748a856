"""The codes of tickets: what is signed, and how it is written down (docs/rules.md#tickets)."""

import base64
import re
import struct
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from booking_service.domain.errors import TicketInvalid

VERSION = 1
KEY_ID_BYTES = 6

_FACTS = struct.Struct(f">B{KEY_ID_BYTES}s16s16sBB")  # version, key, booking, show, seat, unpaid
# 105 bytes, signature included. No bit is left over in them, so that no code has a second spelling.
_CODE = re.compile("[A-Z2-7]{168}")


@dataclass(frozen=True, slots=True)
class Seat:
    """One seat of a booking, as its code names it."""

    booking_id: UUID
    show_id: UUID
    number: int  # from 1 to the booking's quantity
    paid: bool  # if not, it is to be paid at the venue


@dataclass(frozen=True, slots=True)
class TicketCode:
    """A code that was read, and says nothing yet: anybody can write one."""

    key_id: str
    claimed: Seat
    facts: bytes
    signature: bytes

    def seat(self, key: Ed25519PublicKey) -> Seat:
        """Return the seat for which the owner of the key wrote this code.

        Raises:
            TicketInvalid: somebody else wrote it, or changed it.
        """
        try:
            key.verify(self.signature, self.facts)
        except InvalidSignature as error:
            raise TicketInvalid from error
        return self.claimed


def key_id(key: Ed25519PublicKey) -> str:
    """Return the name under which codes refer to a key."""
    digest = sha256(key.public_bytes_raw()).digest()[:KEY_ID_BYTES]
    return base64.urlsafe_b64encode(digest).decode()


def write_code(seat: Seat, key: Ed25519PrivateKey) -> str:
    """Return the code of a seat; the same seat and key have the same code."""
    facts = _FACTS.pack(
        VERSION,
        base64.urlsafe_b64decode(key_id(key.public_key())),
        seat.booking_id.bytes,
        seat.show_id.bytes,
        seat.number,
        not seat.paid,
    )
    return base64.b32encode(facts + key.sign(facts)).decode()


def read_code(code: str) -> TicketCode:
    """Return what a code claims.

    Raises:
        TicketInvalid: it is no code of a ticket.
    """
    if not _CODE.fullmatch(code):
        raise TicketInvalid
    raw = base64.b32decode(code)
    facts, signature = raw[: _FACTS.size], raw[_FACTS.size :]
    version, signed_by, booking, show, number, unpaid = _FACTS.unpack(facts)
    if version != VERSION:
        raise TicketInvalid
    return TicketCode(
        key_id=base64.urlsafe_b64encode(signed_by).decode(),
        claimed=Seat(UUID(bytes=booking), UUID(bytes=show), number, paid=not unpaid),
        facts=facts,
        signature=signature,
    )
