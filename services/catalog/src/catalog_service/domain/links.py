"""Which links a show may carry, judged by the parsed host; nothing is ever fetched."""

import re
from collections.abc import Callable
from urllib.parse import SplitResult, urlsplit

from catalog_service.domain.media import is_key, uploaded_key

MAX_LINK = 2048

_MAPS_ONLY_HOSTS = {"maps.google.com", "maps.google.co.in", "maps.app.goo.gl"}
_MAPS_PATH_HOSTS = {"google.com", "www.google.com", "google.co.in", "www.google.co.in", "goo.gl"}
_YOUTUBE_HOSTS = {"youtube.com", "www.youtube.com", "m.youtube.com"}
_YOUTUBE_PATHS = re.compile(r"/(watch|embed/.+|shorts/.+)")
_INSTAGRAM_HOSTS = {"instagram.com", "www.instagram.com"}
_INSTAGRAM_PATHS = re.compile(r"/(p|reel|reels)/.+")
_PLAIN = re.compile(r"[!-\[\]-~]+")  # visible ASCII without the backslash, which browsers read as /


def is_google_maps(link: str) -> bool:
    """Tell whether this is a place on Google Maps."""
    return _is_https(
        link,
        lambda url: (
            url.hostname in _MAPS_ONLY_HOSTS
            or (url.hostname in _MAPS_PATH_HOSTS and f"{url.path}/".startswith("/maps/"))
        ),
    )


def is_youtube(link: str) -> bool:
    """Tell whether this is a YouTube video."""
    return _is_https(
        link,
        lambda url: (
            (url.hostname == "youtu.be" and len(url.path) > 1)
            or (url.hostname in _YOUTUBE_HOSTS and bool(_YOUTUBE_PATHS.fullmatch(url.path)))
        ),
    )


def is_instagram(link: str) -> bool:
    """Tell whether this is an Instagram post or reel."""
    return _is_https(
        link,
        lambda url: url.hostname in _INSTAGRAM_HOSTS and bool(_INSTAGRAM_PATHS.fullmatch(url.path)),
    )


def is_image(link: str) -> bool:
    """Tell whether this is an uploaded image's path or an https link."""
    key = uploaded_key(link)
    if key is not None:
        return is_key(key)
    return _is_https(link, lambda url: bool(url.hostname and "." in url.hostname))


def is_name_or_page(text: str) -> bool:
    """Tell whether this is a name at a network or an https link: nothing that a page could run."""
    try:
        url = urlsplit(text)
    except ValueError:
        return False
    return url.scheme == "https" or not (url.scheme or url.netloc)


def _is_https(link: str, accepts: Callable[[SplitResult], bool]) -> bool:
    if len(link) > MAX_LINK or not _PLAIN.fullmatch(link):
        return False
    try:
        url = urlsplit(link)
        plain_authority = url.port in (None, 443) and "@" not in url.netloc
    except ValueError:
        return False
    return url.scheme == "https" and plain_authority and accepts(url)
