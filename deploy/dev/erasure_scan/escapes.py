"""Undoing what JSON, URLs, Postgres and Python do to the characters of a text."""

import re

_MOST_LAYERS = 4  # such as JSON in JSON in a URL
_ESCAPE = re.compile(
    rb"\\+x((?:[0-9a-f]{2})+)"  # bytea, bytes
    rb"|((?:\\+u[0-9a-f]{4})+)"  # JSON
    rb"|%([0-9a-f]{2})"  # URL
    rb"|\\+([^\\])",
    re.IGNORECASE,
)
_CODE_UNIT = re.compile(rb"u([0-9a-f]{4})", re.IGNORECASE)
_CONTROL = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"b": b"\b", b"f": b"\f"}


def layers(text: bytes) -> list[bytes]:
    """Return the text without its escapes, then without those that had been escaped, and so on."""
    found: list[bytes] = []
    for _ in range(1 if b"\0" in text else _MOST_LAYERS):  # a picture has what looks like escapes
        if b"\\" not in text and b"%" not in text:
            break
        text, before = _ESCAPE.sub(_meant, text), text
        if text == before:
            break
        found.append(text)
    return found


def unescaped(text: bytes) -> bytes:
    """Return the text without any escapes."""
    return [text, *layers(text)][-1]


def _meant(escape: re.Match[bytes]) -> bytes:
    as_bytes, code_units, percent, character = escape.groups()
    if as_bytes or percent:
        return bytes.fromhex((as_bytes or percent).decode())
    if code_units:
        utf16 = bytes.fromhex(b"".join(_CODE_UNIT.findall(code_units)).decode())
        return utf16.decode("utf-16-be", "surrogatepass").encode("utf-8", "surrogatepass")
    return _CONTROL.get(character, character)
