"""What the scan finds in files."""

import bz2
import gzip
import io
import lzma
import zipfile
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest

from erasure_scan.errors import TooShort, Unreadable
from erasure_scan.scan import examine, scan

EMAIL = "zoe.planted@comedy.example"
PERSON = UUID("0197a5c2-7d3e-7b41-9f10-5a6b7c8d9e0a")  # has a line break among its bytes


def found(folder: Path, **values: str) -> set[tuple[str, ...]]:
    findings = scan(None, [folder], values or {"EMAIL": EMAIL})
    return {(Path(each.place).name, each.encoding, *each.examples) for each in findings}


def test_a_value_is_found_below_a_folder_with_its_offset(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/booking.log.1").write_text(f"line\n{EMAIL} came\n")
    (tmp_path / "other.log").write_text("nobody@comedy.example\n")

    end = len("line\n") + len(EMAIL)
    assert found(tmp_path) == {("booking.log.1", "plain", f"before byte {end}")}


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress])
def test_compressed_files_are_searched_whatever_they_are_called(
    tmp_path: Path, compress: Callable[[bytes], bytes]
) -> None:
    (tmp_path / "booking.log.2").write_bytes(compress(b"x" * 10 + EMAIL.encode()))

    assert found(tmp_path) == {("booking.log.2", "plain", f"before byte {10 + len(EMAIL)}")}


@pytest.mark.parametrize("distance", range(-40, 41, 8))
def test_a_value_across_two_blocks_is_found_once(tmp_path: Path, distance: int) -> None:
    before = (1 << 20) + distance
    (tmp_path / "long.log").write_bytes(b"." * before + EMAIL.encode() + b"." * (3 << 20))

    assert found(tmp_path) == {("long.log", "plain", f"before byte {before + len(EMAIL)}")}


def test_the_bytes_of_an_id_are_found_in_a_binary_file(tmp_path: Path) -> None:
    (tmp_path / "picture.webp").write_bytes(b"RIFF" + bytes(range(256)) + PERSON.bytes + b"end")

    assert found(tmp_path, ID=str(PERSON)) == {("picture.webp", "binary", "before byte 276")}


def test_an_escaped_value_is_found(tmp_path: Path) -> None:
    (tmp_path / "identity.log").write_text('{"q": "Zo\\u00eb Plant\\u00e9e"}\n')

    assert found(tmp_path, NAME="Zoë Plantée") == {
        ("identity.log", "plain, escaped", "before byte 28")
    }


def test_a_name_of_a_file_is_searched(tmp_path: Path) -> None:
    (tmp_path / f"{PERSON}.webp").write_text("")

    assert found(tmp_path, ID=str(PERSON)) == {(tmp_path.name, "plain", "in the name of a file")}


def test_a_folder_that_is_not_there_has_no_files(tmp_path: Path) -> None:
    evidence = examine(None, [tmp_path / "none"], {"EMAIL": EMAIL})

    assert (evidence.findings, evidence.files.total()) == ([], 0)


def test_a_single_file_can_be_named(tmp_path: Path) -> None:
    (tmp_path / "journal").write_text(EMAIL)

    assert found(tmp_path / "journal") == {("journal", "plain", f"before byte {len(EMAIL)}")}


def test_a_damaged_file_proves_nothing(tmp_path: Path) -> None:
    (tmp_path / "cut.gz").write_bytes(gzip.compress(EMAIL.encode() * 9)[:-9])

    with pytest.raises(Unreadable, match=r"cut\.gz cannot be read"):
        found(tmp_path)


def test_an_archive_of_an_unknown_kind_proves_nothing(tmp_path: Path) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr("x", EMAIL)
    (tmp_path / "old.zip").write_bytes(archive.getvalue())

    with pytest.raises(Unreadable, match=r"old\.zip is compressed with zip"):
        found(tmp_path)


@pytest.mark.parametrize("value", ["", "abc", " abc  "])
def test_a_value_that_would_be_found_everywhere_is_refused(tmp_path: Path, value: str) -> None:
    with pytest.raises(TooShort, match=r"^NAME has fewer than 4 characters"):
        scan(None, [tmp_path], {"NAME": value})
