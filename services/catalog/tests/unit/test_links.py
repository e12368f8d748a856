import pytest

from catalog_service.domain.links import is_google_maps, is_image, is_instagram, is_youtube

UPLOAD = f"/api/v1/media/{'0a' * 16}.webp"

TRICKS = [
    "http://{}",
    "//{}",
    "https:{}",
    "https:\\\\{}",
    "https://evil.example\\@{}",
    "https://evil.example/{}",
    "https://evil.example#{}",
    "https://user@{}",
    "https://{}\n",
    "https://{} ",
    "javascript:alert(1)//{}",
]


@pytest.mark.parametrize(
    "link",
    [
        "https://maps.app.goo.gl/AbC123",
        "https://goo.gl/maps/AbC123",
        "https://maps.google.com/?q=17.4,78.4",
        "https://www.google.com/maps/place/Lamakaan",
        "https://www.google.com/maps?q=Lamakaan",
        "https://www.google.co.in/maps/@17.4,78.4,15z",
        "https://google.com:443/maps/place/x",
    ],
)
def test_a_place_on_google_maps_is_accepted(link: str) -> None:
    assert is_google_maps(link)


@pytest.mark.parametrize(
    "link",
    [
        "",
        "https://www.google.com/search?q=maps",
        "https://www.google.com/mapsy",
        "https://maps.google.com.evil.example/",
        "https://evilgoo.gl/maps/x",
        "https://[::1",
        "https://www.google.com:8443/maps/x",
        "https://maps.google.com/" + "x" * 3000,
        *(trick.format("www.google.com/maps/x") for trick in TRICKS),
    ],
)
def test_anything_else_is_no_place(link: str) -> None:
    assert not is_google_maps(link)


@pytest.mark.parametrize(
    "link",
    [
        "https://www.youtube.com/watch?v=x",
        "https://m.youtube.com/shorts/x",
        "https://youtube.com/embed/x",
        "https://youtu.be/x",
    ],
)
def test_a_youtube_video_is_accepted(link: str) -> None:
    assert is_youtube(link)


@pytest.mark.parametrize(
    "link",
    [
        "https://youtu.be/",
        "https://www.youtube.com/@channel",
        "https://www.youtube.com/watchful",
        "https://music.youtube.com/watch?v=x",
        *(trick.format("youtu.be/x") for trick in TRICKS),
    ],
)
def test_anything_else_is_no_video(link: str) -> None:
    assert not is_youtube(link)


@pytest.mark.parametrize("part", ["p", "reel", "reels"])
def test_an_instagram_post_is_accepted(part: str) -> None:
    assert is_instagram(f"https://www.instagram.com/{part}/AbC/")


@pytest.mark.parametrize(
    "link",
    [
        "https://www.instagram.com/somebody",
        "https://www.instagram.com/p/",
        *(trick.format("instagram.com/p/x") for trick in TRICKS),
    ],
)
def test_anything_else_is_no_post(link: str) -> None:
    assert not is_instagram(link)


@pytest.mark.parametrize("link", [UPLOAD, "https://cdn.example/p.jpg"])
def test_an_image_is_an_upload_or_an_https_link(link: str) -> None:
    assert is_image(link)


@pytest.mark.parametrize(
    "link",
    [
        f"{UPLOAD}/x",
        "/api/v1/media/../../secret",
        "/api/v1/media/x.webp",
        "/etc/passwd",
        "data:image/png;base64,x",
        "https://localhost/x",
    ],
)
def test_anything_else_is_no_image(link: str) -> None:
    assert not is_image(link)
