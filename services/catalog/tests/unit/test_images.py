"""Files as strangers send them: what is in them is found before any decoder sees them."""

import io
import struct
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from catalog_service.domain.errors import ImageRefused, NotAnImage
from catalog_service.domain.images import ImageFormat, inspect_image

Picture = Callable[..., bytes]

VARIANTS = [
    ("JPEG", {}),
    ("JPEG", {"progressive": True}),
    ("JPEG", {"mode": "CMYK"}),
    ("JPEG", {"mode": "L", "restart_marker_blocks": 1}),
    ("JPEG", {"comment": b"x" * 1000}),
    ("PNG", {}),
    ("PNG", {"mode": "RGBA"}),
    ("PNG", {"mode": "P"}),
    ("WEBP", {}),
    ("WEBP", {"lossless": True}),
    ("WEBP", {"mode": "RGBA", "exif": b"Exif\0\0MM\0*\0\0\0\x08\0\0"}),
]


@pytest.mark.parametrize(("file_format", "options"), VARIANTS, ids=str)
def test_a_real_image_is_known_by_its_bytes(
    picture: Picture, file_format: str, options: dict[str, object]
) -> None:
    assert inspect_image(picture(file_format, **options)) is ImageFormat(file_format)


def test_a_photo_with_a_second_picture_in_it_as_phones_make_it_is_a_jpeg(
    picture: Picture,
) -> None:
    two = picture("MPO", save_all=True, append_images=[Image.new("L", (8, 8))], size=(64, 64))

    assert inspect_image(two) is ImageFormat.JPEG
    assert inspect_image(two + b"\0\0\0") is ImageFormat.JPEG


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"<!doctype html><script>alert(1)</script>",
        b"GIF89a/*\x01\x00*/=1;alert(1)",
        b"%PDF-1.7",
        b"PK\x03\x04",
        b"RIFF\x24\0\0\0WAVEfmt ",
        b"\0\0\0\x1cftypavif",
        b"\x00\xff\xd8\xff\xe0",
    ],
    ids=lambda content: repr(content[:8]),
)
def test_what_does_not_begin_like_an_image_is_none(content: bytes) -> None:
    with pytest.raises(NotAnImage):
        inspect_image(content)


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize(
    "more",
    [b"<script>alert(1)</script>", b"PK\x03\x04zip", b"\xff", b"%PDF-1.7", b"\0\0<?php system();"],
)
def test_a_file_that_is_something_else_besides_is_refused(
    picture: Picture, file_format: str, more: bytes
) -> None:
    with pytest.raises(ImageRefused, match="more in it"):
        inspect_image(picture(file_format) + more)


@pytest.mark.parametrize(("file_format", "options"), VARIANTS, ids=str)
def test_no_beginning_of_an_image_passes(
    picture: Picture, file_format: str, options: dict[str, object]
) -> None:
    whole = picture(file_format, **options)

    for length in range(12, len(whole), 7):
        with pytest.raises(ImageRefused):
            inspect_image(whole[:length])


@pytest.mark.parametrize("file_format", ["PNG", "WEBP"])
def test_moving_images_are_refused(picture: Picture, file_format: str) -> None:
    frames = [Image.new("RGB", (64, 48), colour) for colour in ("red", "blue")]

    with pytest.raises(ImageRefused, match="Moving"):
        inspect_image(picture(file_format, save_all=True, append_images=frames))


def png(width: int, height: int) -> bytes:
    """A PNG that says it is this large, and a page's worth of zeros as its content."""
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)),
        (b"IDAT", zlib.compress(bytes(100_000))),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def jpeg(width: int, height: int) -> bytes:
    target = io.BytesIO()
    Image.new("L", (8, 8)).save(target, "JPEG")
    small = target.getvalue()
    at = small.index(b"\xff\xc0") + 5
    return small[:at] + struct.pack(">HH", height, width) + small[at + 4 :]


def webp(width: int, height: int) -> bytes:
    target = io.BytesIO()
    Image.new("RGB", (8, 8)).save(target, "WEBP", lossless=True)
    small = bytearray(target.getvalue())
    at = small.index(b"VP8L") + 9
    small[at : at + 4] = struct.pack("<I", (width - 1) | (height - 1) << 14)
    return bytes(small)


def webp_canvas(width: int, height: int) -> bytes:
    target = io.BytesIO()
    Image.new("RGB", (8, 8)).save(target, "WEBP", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0")
    extended = bytearray(target.getvalue())
    at = extended.index(b"VP8X") + 12
    extended[at : at + 6] = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return bytes(extended)


@pytest.mark.parametrize(
    ("make", "width", "height"),
    [
        (png, 20_000, 20_000),
        (png, 5_001, 5_000),
        (png, 2**31 - 1, 1),
        (jpeg, 20_000, 20_000),
        (jpeg, 65_535, 65_535),
        (jpeg, 16_384, 1),
        (webp, 16_384, 16_384),
        (webp_canvas, 2**24, 2**24),
        (webp_canvas, 20_000, 20_000),
    ],
)
def test_a_picture_that_would_fill_the_memory_is_refused_by_what_it_says(
    make: Callable[[int, int], bytes], width: int, height: int
) -> None:
    with pytest.raises(ImageRefused, match="25 million pixels"):
        inspect_image(make(width, height))


@pytest.mark.parametrize("make", [png, jpeg, webp, webp_canvas])
def test_the_largest_picture_passes(make: Callable[[int, int], bytes]) -> None:
    assert inspect_image(make(5_000, 5_000))


def test_a_picture_without_pixels_is_refused() -> None:
    for content in (png(0, 5), jpeg(5, 0)):
        with pytest.raises(ImageRefused):
            inspect_image(content)


def test_a_jpeg_of_endless_scans_is_refused(picture: Picture) -> None:
    whole = picture("JPEG", progressive=True)
    scan = whole[whole.rindex(b"\xff\xda") : -2]

    with pytest.raises(ImageRefused, match="cannot be read"):
        inspect_image(whole[:-2] + scan * 50 + b"\xff\xd9")


@given(st.sampled_from([b"\x89PNG\r\n\x1a\n", b"\xff\xd8", b"RIFF\x40\0\0\0WEBP"]), st.binary())
def test_garbage_behind_a_right_beginning_is_refused_not_an_error(
    beginning: bytes, garbage: bytes
) -> None:
    with pytest.raises(ImageRefused):
        inspect_image(beginning + garbage)
