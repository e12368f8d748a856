import json
import re
import subprocess
from fnmatch import fnmatch
from pathlib import Path

import pytest
from tests.packaging.images import Unpacked, instructions
from tests.packaging.installations import PRODUCTION, composed, program
from tests.packaging.projects import folder_of

from devstack.settings import CHECKOUT, SERVICES

DOCKERFILES = sorted(
    [*CHECKOUT.glob("services/*/Dockerfile"), *CHECKOUT.glob("deploy/**/Dockerfile")]
)


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
    image = Unpacked.into(tmp_path, service)
    program = (
        f"from {service}_service.cli import cli\n"
        "cli(['migrate-sql'], standalone_mode=False)\n"
        "cli(['openapi', '--check'], standalone_mode=False)\n"
    )

    done = subprocess.run(
        [image.folder / "bin/python", "-c", program],
        cwd=image.work_folder,
        env=image.environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert f"CREATE TABLE {service}." in done.stdout


def test_the_image_of_the_gateway_listens_to_others_with_the_caddyfile_of_development() -> None:
    lines = (CHECKOUT / "deploy/gateway/Dockerfile").read_text().replace("\\\n", "").splitlines()
    (variables,) = (line.removeprefix("ENV ") for line in lines if line.startswith("ENV "))
    told: dict[str, str] = composed(PRODUCTION)["services"]["gateway"]["environment"]

    done = subprocess.run(
        [program("caddy"), "adapt", "--config", CHECKOUT / "deploy/gateway/Caddyfile"],
        env=dict(word.split("=", 1) for word in variables.split()) | told,
        capture_output=True,
        text=True,
        check=True,
    )

    servers = json.loads(done.stdout)["apps"]["http"]["servers"].values()
    listening = {place for server in servers for place in server["listen"]}
    assert listening == {"0.0.0.0:8080", "0.0.0.0:8081"}
