import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
from fnmatch import fnmatch
from pathlib import Path

import pytest
from tests.packaging.installations import program
from tests.packaging.projects import folder_of

from devstack.settings import CHECKOUT, SERVICES

DOCKERFILES = sorted(
    [*CHECKOUT.glob("services/*/Dockerfile"), *CHECKOUT.glob("deploy/**/Dockerfile")]
)


def instructions(service: str) -> list[str]:
    text = re.sub(
        r"^#.*\n", "", (folder_of(service) / "Dockerfile").read_text(), flags=re.MULTILINE
    )
    return text.replace("\\\n", "").splitlines()


def copy_sources(service: str, target: Path) -> None:
    """Do what the COPY lines do that bring a part of the checkout into `/app`."""
    for line in instructions(service):
        words = shlex.split(line)
        if words[:1] != ["COPY"] or words[1].startswith("--from") or words[-1].startswith("/"):
            continue
        *sources, place = words[1:]
        for source in map(CHECKOUT.joinpath, sources):
            if source.is_dir():
                shutil.copytree(
                    source, target / place, ignore=shutil.ignore_patterns("__pycache__")
                )
            else:
                (target / place).mkdir(parents=True, exist_ok=True)
                shutil.copy(source, target / place)


@pytest.mark.parametrize("service", SERVICES)
def test_dockerfiles_differ_in_the_name_of_the_service_only(service: str) -> None:
    template = (folder_of("booking") / "Dockerfile").read_text()

    assert (folder_of(service) / "Dockerfile").read_text() == template.replace("booking", service)


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda file: file.parent.name)
def test_hadolint_finds_nothing_in_a_dockerfile(dockerfile: Path) -> None:
    done = subprocess.run(
        [program("hadolint"), "--no-color", dockerfile], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda file: file.parent.name)
def test_an_image_belongs_to_no_user_of_the_system(dockerfile: Path) -> None:
    users = re.findall(r"^USER (.+)$", dockerfile.read_text(), re.MULTILINE)

    assert users == ["10001:10001"]


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda file: file.parent.name)
def test_what_is_copied_into_an_image_is_let_through_to_the_build(dockerfile: Path) -> None:
    ignored = (CHECKOUT / ".dockerignore").read_text().splitlines()
    let_through = [line.removeprefix("!") for line in ignored if line.startswith("!")]
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile.read_text(), re.MULTILINE)

    assert copied
    for source in (Path(word) for words in copied for word in words.split()):
        around = [source, *source.parents]
        assert (CHECKOUT / source).exists()
        assert any(fnmatch(str(place), rule) for place in around for rule in let_through), source


def test_an_image_runs_without_privileges_from_a_lock_with_hashes() -> None:
    lines = instructions("booking")

    final_stage = lines[max(i for i, line in enumerate(lines) if line.startswith("FROM")) :]
    assert [line for line in final_stage if line.startswith("USER")] == ["USER 10001:10001"]
    assert [line for line in lines if "pip " in line and "--require-hashes" not in line] == []


@pytest.mark.parametrize("service", SERVICES)
def test_what_an_image_contains_is_enough_for_migrations_and_the_api_document(
    service: str, tmp_path: Path
) -> None:
    copy_sources(service, tmp_path)
    # -S and the path: third-party packages as installed here, but nothing of this checkout
    sources = [tmp_path / "shared/src", tmp_path / f"services/{service}/src"]
    path = [*map(str, sources), sysconfig.get_path("platlib"), sysconfig.get_path("purelib")]

    program = (
        f"from {service}_service.cli import cli\n"
        "cli(['migrate-sql'], standalone_mode=False)\n"
        "cli(['openapi', '--check'], standalone_mode=False)\n"
    )

    done = subprocess.run(
        [sys.executable, "-S", "-c", program],
        cwd=tmp_path / "services" / service,
        env={"PATH": os.defpath, "PYTHONPATH": os.pathsep.join(path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert f"CREATE TABLE {service}." in done.stdout
