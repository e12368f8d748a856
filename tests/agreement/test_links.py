"""identity and catalog each judge links by the same rule, and are deployed each on its own."""

from collections.abc import Callable

import pytest

from catalog_service.domain import links
from identity_service.domain import media_links

LINKS = [
    "https://www.youtube.com/watch?v=x",
    "https://m.youtube.com/shorts/x",
    "https://youtube.com/embed/x",
    "https://youtu.be/x",
    "https://youtu.be/",
    "https://youtube.com/channel/x",
    "https://youtube.com.evil.example/watch?v=x",
    "http://youtube.com/watch?v=x",
    "https://user@youtube.com/watch?v=x",
    "https://youtube.com:443/watch?v=x",
    "https://youtube.com:8443/watch?v=x",
    "https://evil.example\\@youtube.com/watch?v=x",
    "https://www.instagram.com/p/x",
    "https://instagram.com/reel/x/",
    "https://instagram.com/reels/x",
    "https://instagram.com/someone",
    "https://pictures.example/x.png",
    "https://localhost/x.png",
    "https://[::1",
    f"/api/v1/media/{'0a' * 16}.webp",
    "/api/v1/media/shows/0190-a.webp",
    "/api/v1/media/../../secrets",
    "/api/v1/media/é.webp",
    "/api/v1/shows",
    "javascript:alert(1)",
    "sravya",
    "@sravya.rao",
    "https://www.instagram.com/sravya",
    "HTTPS://www.instagram.com/sravya",
    "http://www.instagram.com/sravya",
    "//evil.example",
    "data:text/html,x",
    "",
    "https://youtu.be/" + "x" * 3000,
]


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize(
    ("for_profiles", "for_shows"),
    [
        (media_links.is_youtube, links.is_youtube),
        (media_links.is_instagram, links.is_instagram),
        (media_links.is_image, links.is_image),
        (media_links.is_name_or_page, links.is_name_or_page),
    ],
)
def test_a_link_is_good_for_profiles_and_shows_or_for_neither(
    for_profiles: Callable[[str], bool], for_shows: Callable[[str], bool], link: str
) -> None:
    assert for_profiles(link) is for_shows(link)
