"""What is searched for: a value in every form in which a program may have stored it."""

import hashlib
import json
import re
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from unicodedata import category, normalize
from urllib.parse import quote, quote_plus
from uuid import UUID

from erasure_scan.errors import TooShort
from erasure_scan.escapes import unescaped

FEWEST_CHARACTERS = 4

_CASES = (str, str.lower, str.upper, str.casefold, str.title)
_DIGESTS = ("md5", "sha1", "sha256")
_UUID = re.compile(r"(urn:uuid:)?\{?[0-9a-f]{8}(-?)([0-9a-f]{4}\2){3}[0-9a-f]{12}\}?", re.I)
_PHONE = re.compile(r"\+?[\d\s().-]+")
_PHONE_DIGITS = range(7, 16)
_NATIONAL_DIGITS = 10
_URL_SAFE = bytes.maketrans(b"+/", b"-_")


@dataclass(frozen=True, slots=True)
class Form:
    """One way to write a value down."""

    value: str  # what the value is called, such as EMAIL
    encoding: str
    text: bytes  # in lower case, if case does not count
    cased: bool = False
    beside: tuple[bytes, ...] = ()  # what else has to be in the same place


def forms_of(name: str, value: str) -> frozenset[Form]:
    """Return every form of a value.

    Raises:
        TooShort: it has fewer than four characters.
    """
    if len(value.strip()) < FEWEST_CHARACTERS:
        raise TooShort(
            f"{name} has fewer than {FEWEST_CHARACTERS} characters: it would be found everywhere"
        )
    return frozenset(_forms(name, value))


def _forms(name: str, value: str) -> Iterator[Form]:
    spellings, raw = spellings_of(value), _raw(value)
    for spelling in spellings:
        yield Form(name, "plain", spelling.encode().lower())
        yield Form(name, "plain", unescaped(spelling.encode()).lower())
        if " " in spelling:
            yield Form(name, "URL-encoded", spelling.replace(" ", "+").encode().lower())
    for content in raw:
        yield Form(name, "binary", content, cased=True)
    contents = {text.encode() for spelling in spellings for text in _written(spelling)}
    for content in {*contents, *raw}:
        yield Form(name, "hex", content.hex().encode())
        yield from (Form(name, "base64", core, cased=True) for core in _base64_cores(content))
    for digest in _DIGESTS:
        for content in {*(spelling.encode() for spelling in spellings), *raw}:
            yield from _digest_forms(name, digest, content)
    yield from _lexemes(name, value)


def spellings_of(value: str) -> set[str]:
    """Return a value as it may be typed: case, blanks around it, accents, dashes, digits only."""
    given = {value, value.strip(), *_uuid_texts(value), *_phone_numbers(value)}
    cased = {case(text) for text in given for case in _CASES}
    spellings = {normalize(form, text) for text in cased for form in ("NFC", "NFD")}
    folded = {_without_accents(value), " ".join(_words(value))}
    return spellings | {text for text in folded if len(text) >= FEWEST_CHARACTERS}


def _without_accents(value: str) -> str:
    apart = normalize("NFKD", value.casefold())
    return "".join(character for character in apart if category(character) != "Mn").strip()


def _words(value: str) -> list[str]:
    """Return a name's words as a search index has them."""
    return re.findall(r"\w+", _without_accents(value))


def _uuid_texts(value: str) -> set[str]:
    if not _UUID.fullmatch(value.strip()):
        return set()
    uuid = UUID(value.strip())
    return {str(uuid), uuid.hex}


def _raw(value: str) -> set[bytes]:
    """Return the 16 bytes of a UUID, and the integer as which Python pickles it."""
    if not _UUID.fullmatch(value.strip()):
        return set()
    uuid = UUID(value.strip())
    return {uuid.bytes, uuid.bytes[::-1]}


def _phone_numbers(value: str) -> set[str]:
    if not _PHONE.fullmatch(value.strip()):
        return set()
    digits = "".join(character for character in value if character.isdecimal())
    if len(digits) not in _PHONE_DIGITS:
        return set()
    return {digits, digits[-_NATIONAL_DIGITS:]}


def _written(spelling: str) -> set[str]:
    """Return a text as JSON and URLs have it: what is encoded again may be one of them."""
    as_json = json.dumps(spelling)[1:-1]
    return {spelling, as_json, quote(spelling, safe=""), quote(spelling), quote_plus(spelling)}


def _base64_cores(content: bytes) -> Iterator[bytes]:
    """Yield the characters that stand for the content wherever in a longer text it begins."""
    for before in range(3):
        encoded = b64encode(bytes(before) + content)
        core = encoded[-(-8 * before // 6) : 8 * (before + len(content)) // 6]
        yield core
        yield core.translate(_URL_SAFE)


def _digest_forms(name: str, digest: str, content: bytes) -> Iterator[Form]:
    hashed = hashlib.new(digest, content, usedforsecurity=False).digest()
    yield Form(name, f"{digest} in hex", hashed.hex().encode())
    yield Form(name, f"{digest}, binary", hashed, cased=True)
    for core in _base64_cores(hashed):
        yield Form(name, f"{digest} in base64", core, cased=True)


def _lexemes(name: str, value: str) -> Iterator[Form]:
    """Yield a name of several words as a `tsvector` has it: each word apart, sorted."""
    words = _words(value)
    if len(words) < 2 or any(character.isdigit() or character == "@" for character in value):
        return
    first, *others = sorted({f"'{word}':".encode() for word in words}, key=len, reverse=True)
    yield Form(name, "words of a search index", first, beside=tuple(others))
