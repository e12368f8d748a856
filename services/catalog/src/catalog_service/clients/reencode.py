"""A program, run once for each upload: reads an image, writes a WebP of its own without metadata.

    python reencode.py JPEG|PNG|WEBP LONGEST_EDGE < upload > image.webp

Decoders read what strangers made, so they run in a process of their own that may use little memory
and time and whose end harms nobody. Status 3: the image cannot be read.
"""

import io
import resource
import sys

from PIL import Image, ImageCms, ImageOps

UNREADABLE = 3
CPU_SECONDS = 8
MEMORY_BYTES = 700 * 2**20  # address space, libraries included; macOS cannot limit it
QUALITY = 82

_DIRECT = {"RGB", "RGBA", "L", "CMYK", "YCbCr"}  # modes that are made smaller before converting


def main() -> int:
    """Convert standard input to standard output."""
    file_format, longest_edge = sys.argv[1], int(sys.argv[2])
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    try:
        converted = _to_webp(sys.stdin.buffer.read(), file_format, longest_edge)
    except Exception:  # noqa: BLE001 whatever a decoder raises, MemoryError included
        return UNREADABLE
    sys.stdout.buffer.write(converted)
    return 0


def _to_webp(content: bytes, file_format: str, longest_edge: int) -> bytes:
    with Image.open(io.BytesIO(content), formats=[file_format]) as image:
        image.seek(0)
        picture = image if image.mode in _DIRECT else _in_direct_mode(image)
        picture.thumbnail((longest_edge, longest_edge), Image.Resampling.LANCZOS)
        upright = ImageOps.exif_transpose(picture)
        plain = _in_srgb(upright, image.info.get("icc_profile"))
    plain.info.clear()
    target = io.BytesIO()
    plain.save(target, "WEBP", quality=QUALITY, method=4, exif=b"", icc_profile=b"", xmp=b"")
    return target.getvalue()


def _in_direct_mode(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        return _with_8_bits_of_grey(image)
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _with_8_bits_of_grey(image: Image.Image) -> Image.Image:
    """Return a picture with 16 bits of grey with their upper half; `convert` would cut at 255."""
    transparent = image.info.get("transparency")  # a level of 16 bits, if there is one
    deep, levels = image.convert("I"), range(2**16)
    grey = deep.point([level >> 8 for level in levels], "L")
    if transparent is not None:
        grey.putalpha(deep.point([0 if level == transparent else 255 for level in levels], "L"))
    return grey


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Return the colours as every browser shows them; a profile that makes no sense is ignored."""
    mode = "RGBA" if image.has_transparency_data else "RGB"
    if profile and image.mode in {"RGB", "CMYK", "L"}:
        try:
            converted = ImageCms.profileToProfile(
                image, io.BytesIO(profile), ImageCms.createProfile("sRGB"), outputMode=mode
            )
        except ImageCms.PyCMSError:
            return image.convert(mode)
        if converted is not None:
            return converted
    return image.convert(mode)


if __name__ == "__main__":
    sys.exit(main())
