import re
from pathlib import Path

import pytest
from tests.packaging.projects import (
    DEVELOPMENT_LOCK,
    KIT,
    declared_by,
    folder_of,
    foreign_imports,
    own_requirements,
    pins,
    requirements_in,
    used_of_kit,
)

from devstack.settings import CHECKOUT, SERVICES

LOCKED = [*map(folder_of, SERVICES), CHECKOUT / "deploy/gateway"]  # what an image installs
PINNED = re.compile(r"[a-z0-9-]+==[\w.]+( ; [\w '<>=!.]+)?( +--hash=sha256:[0-9a-f]{64})+")

STAND_INS = CHECKOUT / "deploy/dev/fakes"
LOCKED = [*map(folder_of, SERVICES), STAND_INS]


def sources_of(service: str) -> list[Path]:
    folder = folder_of(service)
    return [*folder.glob("src/**/*.py"), *folder.glob("migrations/**/*.py")]


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_declares_all_that_it_and_its_part_of_the_kit_import(service: str) -> None:
    sources = sources_of(service)
    own = foreign_imports(sources, own={f"{service}_service", "service_kit"})
    of_kit = foreign_imports(used_of_kit(sources), own={"service_kit"})

    assert own - own_requirements(folder_of(service)) == set()
    assert of_kit - declared_by(folder_of(service)) == set()


def test_the_kit_declares_all_that_it_imports_besides_its_extras() -> None:
    modules = set(KIT.glob("src/service_kit/*.py"))
    basic = sorted(modules - {KIT / "src/service_kit/durable.py"})

    assert foreign_imports(basic, own={"service_kit"}) - declared_by(KIT) == set()


@pytest.mark.parametrize("service", SERVICES)
def test_what_is_locked_is_what_the_project_declares(service: str) -> None:
    assert requirements_in(folder_of(service) / "requirements.in") == declared_by(
        folder_of(service)
    )


@pytest.mark.parametrize("folder", LOCKED, ids=lambda folder: folder.name)
def test_a_lock_pins_every_requirement_to_the_version_that_is_developed_with(folder: Path) -> None:
    locked = pins(folder / "requirements.txt")
    developed_with = pins(DEVELOPMENT_LOCK)

    assert requirements_in(folder / "requirements.in") - locked.keys() == set()
    others = {name: found for name, found in locked.items() if found - developed_with[name]}
    assert others == {}


@pytest.mark.parametrize("folder", LOCKED, ids=lambda folder: folder.name)
def test_a_lock_has_hashes_for_everything_and_names_no_package_index(folder: Path) -> None:
    text = (folder / "requirements.txt").read_text()
    entries = text.replace("\\\n", "").splitlines()

    assert [entry for entry in entries if not PINNED.fullmatch(entry)] == []


def test_the_image_of_the_stand_ins_has_all_that_they_import() -> None:
    imported = foreign_imports(list(STAND_INS.glob("**/*.py")), own={"fakes"})

    assert imported | {"gunicorn"} <= requirements_in(STAND_INS / "requirements.in")


def test_what_tests_and_development_tools_import_is_required_for_development() -> None:
    folders = ("deploy/dev", "tests", "shared/tests", "services/*/tests")
    sources = [file for folder in folders for file in CHECKOUT.glob(f"{folder}/**/*.py")]
    packages = {f"{service}_service" for service in SERVICES}
    tools = {entry.stem for entry in (CHECKOUT / "deploy/dev").iterdir()}
    own = packages | tools | {"service_kit", "services", "shared", "tests"}

    required = requirements_in(DEVELOPMENT_LOCK.with_suffix(".in"))
    assert foreign_imports(sources, own=own) - required == set()
