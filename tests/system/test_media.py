"""An image on its way from a phone to everybody, through the gateway only."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import requests
from PIL import ExifTags, Image

from devstack.stack import Stack
from devstack.visitor import Visitor

VisitorFactory = Callable[..., Visitor]
ShowFactory = Callable[..., dict[str, Any]]

pytestmark = pytest.mark.system

MIB = 2**20


def photo() -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] = "SECRETPLACE"
    target = BytesIO()
    Image.linear_gradient("L").resize((2400, 1800)).save(target, "JPEG", exif=exif)
    assert b"SECRETPLACE" in target.getvalue()
    return target.getvalue()


def upload(who: Visitor, content: bytes, kind: str = "show") -> requests.Response:
    files = {"file": ("IMG_0001.JPG", content, "image/jpeg")}
    return who.send("POST", "/api/v1/upload", files=files, data={"type": kind})


def test_an_upload_that_is_refused_unread_costs_nobody_elses_request(
    visitor: VisitorFactory,
) -> None:
    """Its connection to the service ends in order, so that no other request goes out on it."""
    stranger = visitor()

    answers = [upload(stranger, bytes(300_000)) for _ in range(40)]

    assert {answer.status_code for answer in answers} == {401}


def test_a_poster_is_uploaded_used_and_seen_by_everybody(
    stack: Stack, visitor: VisitorFactory, draft: ShowFactory
) -> None:
    uploaded = upload(visitor("organizer@comedy.example"), photo())
    assert uploaded.status_code == 201, uploaded.text
    url = uploaded.json()["url"]

    show = draft(posterImageUrl=url)
    seen = visitor().get(show["posterImageUrl"])

    assert (seen.status_code, seen.headers["Content-Type"]) == (200, "image/webp")
    assert seen.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert seen.headers["X-Content-Type-Options"] == "nosniff"
    assert b"SECRETPLACE" not in seen.content
    assert Image.open(BytesIO(seen.content)).size == (900, 1200)
    again = visitor().get(url, headers={"If-None-Match": seen.headers["ETag"]})
    part = visitor().get(url, headers={"Range": "bytes=0-3"})
    assert again.status_code == 304
    assert (part.status_code, part.content) == (206, b"RIFF")
    assert Path(stack.settings["MEDIA_DIR"], uploaded.json()["publicId"]).is_file()


def test_a_person_of_the_audience_has_a_profile_picture_and_no_poster(
    visitor: VisitorFactory,
) -> None:
    person = visitor("audience@comedy.example")

    picture, poster = upload(person, photo(), "profile"), upload(person, photo())
    profile = person.post("/api/v1/profile/update", {"image": picture.json()["url"]})

    assert (picture.status_code, profile.status_code) == (201, 200)
    assert (poster.status_code, poster.json()["code"]) == (403, "NOT_APPROVED")
    assert upload(visitor(), photo(), "profile").status_code == 401


def patient_upload(who: Visitor, content: bytes) -> requests.Response:
    """Upload what is refused before all of it is sent: then a client may miss the answer."""
    for _ in range(4):
        try:
            return upload(who, content)
        except requests.ConnectionError:
            continue
    return upload(who, content)


@pytest.mark.parametrize("size", [5 * MIB + 1, 6 * MIB])
def test_a_file_that_is_too_large_is_refused_in_words(visitor: VisitorFactory, size: int) -> None:
    answer = patient_upload(visitor("organizer@comedy.example"), bytes(size))

    assert answer.status_code == 413
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["error"]
