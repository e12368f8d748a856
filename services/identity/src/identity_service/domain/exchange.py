"""What the gateway's question about a request's credential turns on."""

import re
from collections.abc import Set as AbstractSet
from urllib.parse import parse_qs

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_PUBLIC_READS = re.compile(
    r"/api/v1/(shows(/[^/]+)?|comedians(/[^/]+)?|media/.+|account-deletions/[^/]+|config/public)/?"
)
_DELETION_METHODS = frozenset({"POST", "DELETE"})
_DELETION_PATH = "/api/v1/profile/delete"
_PUBLIC_MODES = frozenset({"discovery", "public"})


def is_public_read(method: str, uri: str) -> bool:
    """Return whether anybody may make this request, so that a dead credential does not matter."""
    if method not in {"GET", "HEAD"}:
        return False
    path, _, query = uri.partition("?")
    if not _PUBLIC_READS.fullmatch(path):
        return False
    return set(parse_qs(query, keep_blank_values=True).get("mode", ())) <= _PUBLIC_MODES | {""}


def asks_for_deletion(method: str, uri: str) -> bool:
    """Return whether this request is the one that the person of a closed account may make.

    It asks for what is under way already, and is answered with where to look.
    """
    return method in _DELETION_METHODS and uri.partition("?")[0] == _DELETION_PATH


def comes_from_our_pages(method: str, origin: str | None, *, origins: AbstractSet[str]) -> bool:
    """Return whether a request that relies on a cookie may take effect.

    Reading may everybody's page; to change something, the page must be one of ours, and say so.
    """
    return method in _SAFE_METHODS or origin in origins
