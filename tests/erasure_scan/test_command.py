"""`make erasure-scan`, as far as it can be seen without a running stack."""

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from devstack.settings import CHECKOUT
from devstack.testing import Databases

if TYPE_CHECKING:
    from tests.erasure_scan.conftest import Plant

EMAIL = "zoe.planted@comedy.example"


def erasure_scan(
    databases: Databases, *names: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    url = databases.postgres.settings.database_url("auditor")
    return subprocess.run(
        [sys.executable, "-m", "erasure_scan", *names],
        env={**os.environ, "DATABASE_URL": url, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_nothing_found_is_status_0_and_says_what_was_searched(
    databases: Databases, tmp_path: Path
) -> None:
    (tmp_path / "a.log").write_text("nobody")
    folders = f"{tmp_path}{os.pathsep}{tmp_path / 'none'}"

    done = erasure_scan(databases, "EMAIL", EMAIL=EMAIL, NAME="not asked for", SCAN_FOLDERS=folders)

    assert (done.returncode, done.stderr) == (0, "")
    assert f"         1 files  {tmp_path}\n" in done.stdout
    assert f"         0 files  {tmp_path}/none (not there)\n" in done.stdout
    assert "nothing found of 1 value (EMAIL) in " in done.stdout.splitlines()[-1]
    assert "bucket" not in done.stdout


def test_what_is_found_is_status_1_and_not_repeated(
    databases: Databases, plant: "Plant", tmp_path: Path
) -> None:
    plant("text", f"{EMAIL} was here")
    (tmp_path / "a.log").write_text(EMAIL)

    done = erasure_scan(
        databases, "EMAIL", "ID", EMAIL=EMAIL, ID="0-0-0-0", SCAN_FOLDERS=str(tmp_path)
    )

    assert (done.returncode, done.stderr) == (1, "")
    assert "planted.pot.seed: EMAIL, plain (number=2)\n" in done.stdout
    assert f"{tmp_path}/a.log: EMAIL, plain (before byte {len(EMAIL)})\n" in done.stdout
    assert "2 places with something found of 2 values (EMAIL, ID) in" in done.stdout
    assert EMAIL not in done.stdout


def test_without_a_value_there_is_nothing_to_search_for(databases: Databases) -> None:
    done = erasure_scan(databases, EMAIL=EMAIL)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("erasure-scan: say whom: at least one of ID=…, EMAIL=…")


def test_a_bucket_is_said_to_be_out_of_reach(databases: Databases) -> None:
    done = erasure_scan(databases, "EMAIL", EMAIL=EMAIL, MEDIA_STORAGE="s3")

    assert "NOT SEARCHED: uploads are in a bucket" in done.stdout


def test_make_hands_on_what_its_command_line_names_and_nothing_of_the_environment() -> None:
    make = ["make", "-n", "--no-print-directory", "-C", str(CHECKOUT), "erasure-scan"]
    printed = subprocess.run(
        [*make, f"EMAIL={EMAIL}", "ID=1"],
        env={**os.environ, "NAME": "this-machine"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    words = printed.splitlines()[-1].split()
    assert words[words.index("devstack") :] == ["devstack", "erasure-scan", "ID", "EMAIL"]
