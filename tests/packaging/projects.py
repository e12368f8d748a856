"""What the services and the kit declare, pin and import, read from their files."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import files, packages_distributions
from pathlib import Path

from devstack.settings import CHECKOUT

KIT = CHECKOUT / "shared"
DEVELOPMENT_LOCK = CHECKOUT / "deploy/dev/requirements.txt"


def folder_of(service: str) -> Path:
    return CHECKOUT / "services" / service


def normalized(requirement: str) -> str:
    """Return the distribution a requirement names, without extras and versions."""
    name = re.match(r"[\w.-]+", requirement)
    assert name is not None, f"not a requirement: {requirement}"
    return re.sub(r"[-_.]+", "-", name[0]).lower()


def declared_by(project: Path) -> set[str]:
    """Return what a pyproject.toml asks for; of a service, with what it asks of the kit."""
    metadata = tomllib.loads((project / "pyproject.toml").read_text())["project"]
    asked: set[str] = set()
    for requirement in metadata["dependencies"]:
        if normalized(requirement) != "service-kit":
            asked.add(normalized(requirement))
            continue
        asked |= declared_by(KIT)
        extras = tomllib.loads((KIT / "pyproject.toml").read_text())["project"]
        for extra in re.findall(r"[\w-]+(?=[,\]])", requirement):
            asked |= {normalized(each) for each in extras["optional-dependencies"][extra]}
    return asked


def own_requirements(project: Path) -> set[str]:
    """Return what a pyproject.toml asks for itself, the kit aside."""
    metadata = tomllib.loads((project / "pyproject.toml").read_text())["project"]
    return {normalized(each) for each in metadata["dependencies"]} - {"service-kit"}


def requirements_in(file: Path) -> set[str]:
    """Return the distributions that a requirements.in names, those of included files too."""
    names: set[str] = set()
    for line in file.read_text().splitlines():
        if line.startswith("-r "):
            names |= requirements_in(file.parent / line.removeprefix("-r "))
        elif line and not line.startswith("#"):
            names.add(normalized(line))
    return names


def pins(lock: Path) -> dict[str, set[str]]:
    """Return the pinned versions by distribution; several if they depend on the platform."""
    versions: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([\w.-]+)==([^\s;]+)", lock.read_text(), re.MULTILINE):
        versions.setdefault(normalized(name), set()).add(version)
    return versions


def foreign_imports(sources: list[Path], *, own: set[str]) -> set[str]:
    """Return the distributions that files import from, but for the standard library's and ours."""
    known = set(sys.stdlib_module_names) | own
    modules = {module for file in sources for module in imported_by(file)}
    return {
        normalized(found)
        for module in modules
        if module.partition(".")[0] not in known and (found := _distribution_of(module))
    }


@cache
def _distribution_of(module: str) -> str | None:
    """Return what a module comes from; of a package that several share, whose part it is."""
    root = module.partition(".")[0]
    candidates = _distributions().get(root, [root])
    if len(candidates) == 1:
        return candidates[0]
    while "." in module:
        path = module.replace(".", "/")
        for candidate in candidates:
            if {f"{path}.py", f"{path}/__init__.py"} & _files_of(candidate):
                return candidate
        module = module.rpartition(".")[0]
    return None  # the shared package itself, which is nobody's


_distributions = cache(packages_distributions)


@cache
def _files_of(distribution: str) -> set[str]:
    return {str(file) for file in files(distribution) or ()}


def used_of_kit(sources: list[Path]) -> list[Path]:
    """Return the kit's modules that files import, with those that these import in turn."""
    used: set[Path] = set()
    waiting = list(sources)
    while waiting:
        for module in imported_by(waiting.pop()):
            file = (KIT / "src" / module.replace(".", "/")).with_suffix(".py")
            if module.startswith("service_kit.") and file.is_file() and file not in used:
                used.add(file)
                waiting.append(file)
    return sorted(used)


def imported_by(file: Path) -> Iterator[str]:
    """Yield the modules a file imports; of `from a import b` both `a` and `a.b`."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
