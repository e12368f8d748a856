"""Where a browser may be sent: only to addresses of our own, whatever a link says."""

from collections.abc import Set as AbstractSet
from urllib.parse import urlsplit

MAX_LENGTH = 2000
_DEFAULT_PORTS = {"http": 80, "https": 443}


def origin_of(url: str) -> str | None:
    """Return `scheme://host[:port]` of an http(s) URL, None if it has none or carries a user."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if parts.scheme not in _DEFAULT_PORTS or not host or "@" in parts.netloc:
        return None
    host = f"[{host}]" if ":" in host else host
    suffix = "" if port in (None, _DEFAULT_PORTS[parts.scheme]) else f":{port}"
    return f"{parts.scheme}://{host}{suffix}"


def safe_callback_url(asked: str | None, *, public_url: str, origins: AbstractSet[str]) -> str:
    """Return the absolute URL to go to after signing in or out; if in doubt the start page.

    Args:
        asked: an absolute URL or a path, chosen by whoever made the link.
        public_url: the platform's own address; paths are relative to it.
        origins: the origins a browser may be sent to.
    """
    if not asked or len(asked) > MAX_LENGTH or not _is_plain(asked):
        return public_url
    url = public_url + asked if asked.startswith("/") else asked
    if origin_of(url) not in origins or urlsplit(url).path.startswith("//"):
        return public_url
    return url


def _is_plain(url: str) -> bool:
    """Return whether every parser, browsers included, reads the URL alike."""
    return all("!" <= character <= "~" and character != "\\" for character in url)
