"""What the documentation points to exists."""

import re
import subprocess
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
FILES = subprocess.run(
    ["git", "-C", str(CHECKOUT), "ls-files", "--cached", "--others", "--exclude-standard"],
    capture_output=True,
    text=True,
    check=True,
).stdout.splitlines()
PAGES = [name for name in FILES if name.endswith(".md") and (CHECKOUT / name).exists()]
SOURCES = [name for name in FILES if name.endswith((".py", ".sql")) and (CHECKOUT / name).exists()]
THIS = Path(__file__).relative_to(CHECKOUT).as_posix()


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", PAGES)
def test_every_relative_link_of_a_page_leads_somewhere(name: str) -> None:
    page = CHECKOUT / name
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())

    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("name", PAGES)
def test_no_table_tells_of_the_same_thing_twice(name: str) -> None:
    tables = re.findall(r"(?:^\|.*\n)+", (CHECKOUT / name).read_text(), re.MULTILINE)
    things = [re.findall(r"^\| (`[^|]+`) \|", table, re.MULTILINE) for table in tables]

    assert [sorted(table) for table in things] == [sorted(set(table)) for table in things]


def test_every_rule_that_code_points_to_is_written_down() -> None:
    pointers = {
        (name, *match)
        for name in SOURCES
        if name != THIS
        for match in re.findall(r"(docs/[\w/-]+\.md)(?:#([\w-]+))?", (CHECKOUT / name).read_text())
    }

    lost = [
        (name, page, anchor)
        for name, page, anchor in pointers
        if not (CHECKOUT / page).exists() or (anchor and anchor not in anchors(CHECKOUT / page))
    ]
    assert pointers
    assert lost == []


def test_every_make_target_that_a_page_names_exists() -> None:
    makefile = (CHECKOUT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    named = {
        (name, target)
        for name in PAGES
        for code in re.findall(r"`make ([^`]+)`", (CHECKOUT / name).read_text())
        for target in re.findall(r"(?<!\S)[a-z][a-z-]+(?!\S)", code.split("M=")[0])
    }

    assert {(name, target) for name, target in named if target not in targets} == set()
