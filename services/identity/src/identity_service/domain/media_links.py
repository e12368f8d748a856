"""Which links people may show, judged by the parsed host; nothing is ever fetched."""

import re
from collections.abc import Callable
from urllib.parse import SplitResult, urlsplit

MAX_LINK = 2048
MAX_YOUTUBE_URLS = 1
MAX_INSTAGRAM_URLS = 2

_YOUTUBE_HOSTS = {"youtube.com", "www.youtube.com", "m.youtube.com"}
_YOUTUBE_PATHS = re.compile(r"/(watch|embed/.+|shorts/.+)")
_INSTAGRAM_HOSTS = {"instagram.com", "www.instagram.com"}
_INSTAGRAM_PATHS = re.compile(r"/(p|reel|reels)/.+")
_MEDIA_PATH = re.compile(r"/api/v1/media/[0-9a-f]{32}\.webp")
_PLAIN = re.compile(r"[!-\[\]-~]+")  # visible ASCII without the backslash, which browsers read as /


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
    own = bool(_MEDIA_PATH.fullmatch(link))
    return own or _is_https(link, lambda url: bool(url.hostname and "." in url.hostname))


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
