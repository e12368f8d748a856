"""What an image contains and runs, by its Dockerfile, without building it."""

import json
import os
import re
import shlex
import shutil
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from tests.packaging.projects import folder_of

from devstack.settings import CHECKOUT


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


@dataclass(frozen=True, slots=True)
class Unpacked:
    """A service's image in a folder: its files, and third-party packages as installed here.

    Nothing of this checkout is on the path of its Python, and `/tmp` is a folder below.
    """

    service: str
    folder: Path

    @classmethod
    def into(cls, folder: Path, service: str) -> "Unpacked":
        """Copy what the image contains into an empty folder."""
        image = cls(service, folder)
        copy_sources(service, image.app)
        (folder / "tmp").mkdir()
        (folder / "bin").mkdir()
        for name, module in (("python", ""), ("gunicorn", "-m gunicorn ")):
            command = folder / "bin" / name
            command.write_text(f'#!/bin/sh\nexec {sys.executable} -S {module}"$@"\n')
            command.chmod(0o755)
        return image

    @property
    def app(self) -> Path:
        """What is `/app` in the image."""
        return self.folder / "app"

    @property
    def work_folder(self) -> Path:
        """The folder in which commands run."""
        place = self._last("WORKDIR ")
        return self._moved(place)

    @property
    def environment(self) -> dict[str, str]:
        """The variables that the image sets."""
        pairs = (word.partition("=") for word in shlex.split(self._last("ENV ")))
        values = {name: value for name, _, value in pairs}
        own = [str(self._moved(place)) for place in values["PYTHONPATH"].split(":")]
        packages = [sysconfig.get_path("platlib"), sysconfig.get_path("purelib")]
        return {
            **values,
            "PATH": f"{self.folder / 'bin'}:{os.defpath}",
            "PYTHONPATH": os.pathsep.join([*own, *packages]),
        }

    @property
    def command(self) -> list[str]:
        """What runs if nothing else is asked for."""
        return self.here(json.loads(self._last("CMD ")))

    @property
    def health_check(self) -> list[str]:
        """The command that tells whether the container is alive."""
        return self.here(json.loads(self._last("HEALTHCHECK ").partition(" CMD ")[2]))

    def here(self, command: list[str]) -> list[str]:
        """Return a command with the image's `/tmp` as it is here."""
        return [word.replace("/tmp/", f"{self.folder}/tmp/") for word in command]  # noqa: S108

    def _last(self, instruction: str) -> str:
        lines = [line for line in instructions(self.service) if line.startswith(instruction)]
        return lines[-1].removeprefix(instruction)

    def _moved(self, place: str) -> Path:
        return self.app / Path(place).relative_to("/app")
