"""Uploading an image, and looking at it."""

import gc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from io import BytesIO
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from PIL import ExifTags, Image
from werkzeug.test import TestResponse

from catalog_service.app import create_app
from catalog_service.clients.storage import LocalDirectory
from catalog_service.domain.actors import Actor
from catalog_service.domain.media import MAX_UPLOAD_BYTES, UPLOADS_PER_WINDOW, Media, MediaKind
from catalog_service.wiring import Wiring
from service_kit.openapi import instant
from service_kit.testing import TokenIssuer

UPLOAD = "/api/v1/upload"
Picture = Callable[..., bytes]
Upload = Callable[..., Media]


@pytest.fixture
def owner() -> Actor:
    return Actor(id=uuid4(), role="ORGANIZER", approved=True)


@pytest.fixture
def signed_in(issuer: TokenIssuer) -> Callable[[Actor], dict[str, str]]:
    return lambda actor: issuer.user(actor.id, role=actor.role, approved=actor.approved)


@pytest.fixture
def send(client: FlaskClient, signed_in: Any) -> Callable[..., TestResponse]:
    def send(content: bytes, *, by: Actor, kind: str | None = "profile", **more: Any) -> Any:
        form = {"file": (BytesIO(content), "C:\\\\../x.png", "image/png"), **more}
        if kind is not None:
            form["type"] = kind
        return client.post(UPLOAD, data=form, headers=signed_in(by))

    return send


def shown(client: FlaskClient, answer: TestResponse) -> Image.Image:
    assert answer.status_code == 201, answer.get_json()
    return Image.open(BytesIO(client.get(answer.get_json()["url"]).data))


# ── uploading


def test_an_upload_is_shown_to_everybody_under_a_name_nobody_can_guess(
    client: FlaskClient, send: Any, owner: Actor, picture: Picture
) -> None:
    answers = [send(picture("PNG"), by=owner, kind="show") for _ in range(2)]

    first, second = (answer.get_json() for answer in answers)
    assert [answer.status_code for answer in answers] == [201, 201]
    assert first.keys() == {"url", "publicId"}
    assert first["url"] == f"/api/v1/media/{first['publicId']}"
    assert first["publicId"] != second["publicId"]
    image = client.get(first["url"])
    assert (image.status_code, image.mimetype) == (200, "image/webp")
    assert image.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert image.headers["X-Content-Type-Options"] == "nosniff"
    assert Image.open(BytesIO(image.data)).size == (64, 48)


@pytest.mark.parametrize(
    ("file_format", "mode", "kept"),
    [
        ("JPEG", "RGB", "RGB"),
        ("JPEG", "L", "RGB"),
        ("JPEG", "CMYK", "RGB"),
        ("PNG", "RGBA", "RGBA"),
        ("PNG", "LA", "RGBA"),
        ("PNG", "P", "RGB"),
        ("PNG", "1", "RGB"),
        ("PNG", "I;16", "RGB"),
        ("WEBP", "RGB", "RGB"),
    ],
)
def test_every_kind_of_image_becomes_webp(
    client: FlaskClient,
    send: Any,
    owner: Actor,
    picture: Picture,
    file_format: str,
    mode: str,
    kept: str,
) -> None:
    image = shown(client, send(picture(file_format, mode=mode), by=owner))

    assert (image.format, image.size) == ("WEBP", (64, 48))
    assert image.mode in {kept, "RGB"}  # an alpha channel that hides nothing may be left out


def png_with_16_bits_of_grey(levels: range, **options: Any) -> bytes:
    """A PNG with a column of 8 pixels for each level, from black, 0, to white, 65535."""
    row = b"".join(level.to_bytes(2, "little") for level in levels)
    image = Image.frombytes("I;16", (len(levels), 8), row * 8)
    target = BytesIO()
    image.save(target, "PNG", **options)
    return target.getvalue()


def test_16_bits_of_grey_keep_their_shades(client: FlaskClient, send: Any, owner: Actor) -> None:
    image = shown(client, send(png_with_16_bits_of_grey(range(0, 2**16, 257)), by=owner))

    shades = [image.convert("L").getpixel((x, 4)) for x in range(256)]
    assert shades == [pytest.approx(x, abs=6) for x in range(256)]


def test_the_one_of_16_bits_of_grey_that_is_transparent_stays_so(
    client: FlaskClient, send: Any, owner: Actor
) -> None:
    ramp = png_with_16_bits_of_grey(range(40_000, 40_064), transparency=40_001)

    image = shown(client, send(ramp, by=owner))

    assert [image.getpixel((x, 4))[3] for x in range(64)] == [255, 0, *[255] * 62]
    assert image.getpixel((32, 4))[0] == pytest.approx(40_032 >> 8, abs=6)


@pytest.mark.parametrize(
    ("size", "kept"), [((2400, 1200), (1200, 600)), ((600, 3000), (240, 1200)), ((9, 9), (9, 9))]
)
def test_no_edge_is_longer_than_1200_pixels(
    client: FlaskClient,
    send: Any,
    owner: Actor,
    picture: Picture,
    size: tuple[int, int],
    kept: tuple[int, int],
) -> None:
    assert shown(client, send(picture("JPEG", size=size), by=owner)).size == kept


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
def test_where_and_by_what_a_photo_was_taken_is_gone_and_it_stands_upright(
    client: FlaskClient, send: Any, owner: Actor, picture: Picture, file_format: str
) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "SECRETCAM"
    exif[ExifTags.Base.Orientation] = 6  # lies on its side
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] = "SECRETPLACE"

    answer = send(picture(file_format, exif=exif, size=(64, 48)), by=owner)

    image = shown(client, answer)
    assert image.size == (48, 64)
    assert dict(image.getexif()) == {}
    assert image.info.keys() <= {"background", "loop", "duration", "timestamp"}
    assert b"SECRET" not in client.get(answer.get_json()["url"]).data


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", 415, "NOT_AN_IMAGE"),
        (b"<!doctype html><script>alert(1)</script>", 415, "NOT_AN_IMAGE"),
        (b"GIF89a", 415, "NOT_AN_IMAGE"),
        (b"", 415, "NOT_AN_IMAGE"),
        (b"\xff\xd8\xff\xe0 and no more", 422, "IMAGE_REFUSED"),
        (b"\x89PNG\r\n\x1a\n<script>", 422, "IMAGE_REFUSED"),
    ],
)
def test_what_is_no_image_is_refused_whatever_it_is_called(
    send: Any, owner: Actor, content: bytes, status: int, code: str
) -> None:
    answer = send(content, by=owner)

    assert (answer.status_code, answer.get_json()["code"]) == (status, code)
    assert answer.mimetype == "application/problem+json"
    assert answer.get_json()["error"]


def test_an_image_that_only_a_decoder_finds_damaged_is_refused(
    send: Any, owner: Actor, picture: Picture
) -> None:
    whole = picture("PNG", size=(200, 200))
    at = whole.index(b"IDAT") + 20

    answer = send(whole[:at] + bytes(20) + whole[at + 20 :], by=owner)

    assert (answer.status_code, answer.get_json()["code"]) == (422, "IMAGE_REFUSED")


def test_a_file_may_be_5_mib_and_no_byte_more(
    client: FlaskClient, send: Any, owner: Actor, picture: Picture
) -> None:
    comment = b"\xff\xfe\xff\xffx" + bytes(65_532)
    photo = picture("JPEG")
    parts = (MAX_UPLOAD_BYTES - len(photo)) // len(comment)
    filler = MAX_UPLOAD_BYTES - len(photo) - parts * len(comment)
    large = (
        photo[:2]
        + comment * parts
        + b"\xff\xfe"
        + (filler - 2).to_bytes(2, "big")
        + bytes(filler - 4)
        + photo[2:]
    )

    assert len(large) == MAX_UPLOAD_BYTES
    assert shown(client, send(large, by=owner)).size == (64, 48)
    refused = send(large + b"\0", by=owner)
    assert (refused.status_code, refused.get_json()["code"]) == (413, "FILE_TOO_LARGE")
    assert "5 MiB" in refused.get_json()["error"]


# Werkzeug leaves what it has put aside of a body that is too large to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_body_without_end_is_cut_while_it_arrives(
    client: FlaskClient, owner: Actor, signed_in: Any
) -> None:
    class Endless:
        given = 0

        def read(self, size: int = -1) -> bytes:
            self.given += max(size, 0)
            assert self.given < 2 * MAX_UPLOAD_BYTES, "it is read to the end"
            return b"x" * max(size, 0)

        def readline(self, size: int = -1) -> bytes:
            return self.read(size)

    for length in ({}, {"CONTENT_LENGTH": str(10**12)}):
        answer = client.post(
            UPLOAD,
            content_type="multipart/form-data; boundary=b",
            headers=signed_in(owner),
            environ_overrides={
                "wsgi.input": Endless(),
                "wsgi.input_terminated": True,
                **length,
            },
        )

        assert (answer.status_code, answer.mimetype) == (413, "application/problem+json")
        assert "5.1 MiB" in answer.get_json()["error"]
    gc.collect()


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"type": "profile"}, "file"),
        ({"type": "profile", "file": "text"}, "file"),
        ({"file": (BytesIO(b"x"), "x.png")}, "type"),
        ({"type": "poster", "file": (BytesIO(b"x"), "x.png")}, "type"),
        ({"type": (BytesIO(b"profile"), "x"), "file": (BytesIO(b"x"), "x.png")}, "type"),
        ({"type": "profile", "file": (BytesIO(b"x"), "x.png"), "owner": "me"}, "owner"),
        ({"type": "profile", "file": (BytesIO(b"x"), "x.png"), "b": (BytesIO(b"x"), "x")}, "b"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_form_that_is_not_complete_or_has_more_is_refused_by_field(
    client: FlaskClient, owner: Actor, signed_in: Any, form: dict[str, Any], field: str
) -> None:
    answer = client.post(
        UPLOAD, data=form, headers=signed_in(owner), content_type="multipart/form-data"
    )

    assert answer.status_code == 422
    assert field in answer.get_json()["errors"]


def test_an_upload_is_a_form(client: FlaskClient, owner: Actor, signed_in: Any) -> None:
    answer = client.post(UPLOAD, json={"type": "profile"}, headers=signed_in(owner))

    assert answer.status_code == 415


@pytest.mark.parametrize("kind", ["show", "comedian", "profile"])
@pytest.mark.parametrize(
    ("role", "approved"),
    [("AUDIENCE", False), ("ORGANIZER", False), ("COMEDIAN", True), ("ADMIN", False)],
)
def test_images_of_shows_and_comedians_are_for_approved_creators(
    send: Any, picture: Picture, kind: str, role: str, approved: bool
) -> None:
    actor = Actor(id=uuid4(), role=role, approved=approved)

    answer = send(picture(), by=actor, kind=kind)

    may = kind == "profile" or actor.may_create
    assert answer.status_code == (201 if may else 403)
    assert may or answer.get_json()["code"] == "NOT_APPROVED"


def test_a_person_uploads_40_images_a_day_however_many_at_once(
    use: Wiring, send: Any, picture: Picture, upload: Upload
) -> None:
    person = Actor(id=uuid4(), role="AUDIENCE", approved=False)
    with use.begin() as tx:
        for number in range(UPLOADS_PER_WINDOW - 2):
            tx.media.add(
                Media(
                    key=f"{person.id.hex[:-2]}{number:02x}.webp",
                    owner_id=person.id,
                    kind=MediaKind.PROFILE,
                    size=1,
                    sha256="0" * 64,
                )
            )

    with ThreadPoolExecutor(6) as uploads:
        answers = list(uploads.map(lambda _: send(picture(), by=person), range(6)))

    refused = [answer for answer in answers if answer.status_code != 201]
    assert [answer.status_code for answer in refused] == [429] * 4
    assert refused[0].get_json()["code"] == "TOO_MANY_UPLOADS"
    assert 86_000 < int(refused[0].headers["Retry-After"]) <= 86_401
    assert upload(by=Actor(id=uuid4(), role="AUDIENCE", approved=False))


# ── looking


def test_who_has_an_image_is_not_sent_it_again(
    client: FlaskClient, upload: Upload, owner: Actor
) -> None:
    url = upload(by=owner).url
    etag = client.get(url).headers["ETag"]

    again = client.get(url, headers={"If-None-Match": etag})

    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"] == etag
    assert "immutable" in again.headers["Cache-Control"]


def test_an_image_can_be_asked_about_and_read_in_parts(
    client: FlaskClient, upload: Upload, owner: Actor
) -> None:
    url = upload(by=owner).url
    whole = client.get(url)

    head = client.head(url)
    part = client.get(url, headers={"Range": "bytes=4-7"})
    beyond = client.get(url, headers={"Range": "bytes=9999999-"})

    assert (head.status_code, head.data) == (200, b"")
    assert head.headers["Content-Length"] == str(len(whole.data))
    assert head.headers["Accept-Ranges"] == "bytes"
    assert (part.status_code, part.data) == (206, whole.data[4:8])
    assert part.headers["Content-Range"] == f"bytes 4-7/{len(whole.data)}"
    assert (beyond.status_code, beyond.mimetype) == (416, "application/problem+json")


@pytest.mark.parametrize(
    "key",
    [
        "0" * 32 + ".webp",
        "0" * 32,
        "..%2f..%2fetc%2fpasswd",
        "%2e%2e",
        "0" * 32 + ".webp.part",
        "0" * 32 + ".webp%00",
        "%0a",
        "x" * 5000,
    ],
)
def test_what_is_no_name_of_an_upload_shows_nothing(client: FlaskClient, key: str) -> None:
    answer = client.get(f"/api/v1/media/{key}")

    assert answer.status_code == 404
    assert answer.headers["Cache-Control"] == "no-store"


# ── using


def show_with(poster: str | None, use: Wiring) -> dict[str, Any]:
    return {
        "title": "Open Mic",
        "date": instant(use.now().replace(year=use.now().year + 1, day=1)),
        "venue": "Lamakaan",
        "googleMapsLink": "https://maps.app.goo.gl/AbC",
        "ticketPrice": 499,
        "totalTickets": 80,
        "posterImageUrl": poster,
    }


def test_a_show_and_a_comedian_have_images_that_their_creator_uploaded(
    client: FlaskClient, use: Wiring, upload: Upload, owner: Actor, signed_in: Any
) -> None:
    url, headers = upload(by=owner).url, signed_in(owner)

    show = client.post("/api/v1/shows", json=show_with(url, use), headers=headers)
    comedian = client.post(
        "/api/v1/comedians", json={"name": "x", "profileImageUrl": url}, headers=headers
    )

    assert show.get_json()["show"]["posterImageUrl"] == url
    assert comedian.get_json()["comedian"]["profileImageUrl"] == url


@pytest.mark.parametrize("whose", ["another's", "nobody's", "removed"])
def test_nobody_shows_an_upload_that_is_not_the_own(
    client: FlaskClient, use: Wiring, upload: Upload, owner: Actor, signed_in: Any, whose: str
) -> None:
    media = upload(by=Actor(id=uuid4(), role="ADMIN", approved=False))
    url = f"/api/v1/media/{'0' * 32}.webp" if whose == "nobody's" else media.url
    if whose == "removed":
        media = upload(by=owner)
        url = media.url
        with use.begin() as tx:
            tx.media.condemn([media.key])
    headers = signed_in(owner)
    entry = client.post("/api/v1/comedians", json={"name": "x"}, headers=headers).get_json()

    show = client.post("/api/v1/shows", json=show_with(url, use), headers=headers)
    comedian = client.post(
        "/api/v1/comedians", json={"name": "x", "profileImageUrl": url}, headers=headers
    )
    edited = client.put(
        f"/api/v1/comedians/{entry['comedian']['id']}",
        json={"profileImageUrl": url},
        headers=headers,
    )

    for answer, field in (
        (show, "posterImageUrl"),
        (comedian, "profileImageUrl"),
        (edited, "profileImageUrl"),
    ):
        assert (answer.status_code, set(answer.get_json()["errors"])) == (422, {field})


def test_an_admin_may_edit_an_entry_around_its_image_and_use_any_upload(
    client: FlaskClient, upload: Upload, owner: Actor, signed_in: Any, issuer: TokenIssuer
) -> None:
    media, admin = upload(by=owner), issuer.admin(uuid4())
    entry = client.post(
        "/api/v1/comedians",
        json={"name": "x", "profileImageUrl": media.url},
        headers=signed_in(owner),
    ).get_json()["comedian"]
    path = f"/api/v1/comedians/{entry['id']}"

    same = client.put(path, json={"bio": "Corrected.", "profileImageUrl": media.url}, headers=admin)
    other = client.put(path, json={"profileImageUrl": upload(by=owner).url}, headers=admin)

    assert same.get_json()["comedian"] == {**entry, "bio": "Corrected."}
    assert other.status_code == 200


def test_a_storage_that_is_away_is_said_so(
    use: Wiring, owner: Actor, signed_in: Any, picture: Picture, tmp_path: Any
) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("no directory")
    client = create_app(replace(use, storage=LocalDirectory(in_the_way))).test_client()
    form = {"type": "show", "file": (BytesIO(picture()), "x.jpg")}

    stored = client.post(UPLOAD, data=form, headers=signed_in(owner))
    read = client.get(f"/api/v1/media/{'0' * 32}.webp")

    for answer in (stored, read):
        assert (answer.status_code, answer.get_json()["code"]) == (503, "UNAVAILABLE")
        assert answer.headers["Retry-After"] == "5"
