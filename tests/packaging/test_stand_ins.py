"""The stand-ins of profile `dev`: docker-compose.yml's commands, from what their image contains."""

import shutil
import subprocess
from pathlib import Path

import pytest
from tests.packaging.installations import DEVELOPMENT, composed, make_secrets

from devstack.ports import LOOPBACK, free_ports
from devstack.settings import CHECKOUT
from devstack.testing import eventually


@pytest.mark.parametrize("name", ["openid", "razorpay", "s3"])
def test_a_stand_in_becomes_healthy(name: str, tmp_path: Path) -> None:
    container = composed(DEVELOPMENT, "dev")["services"][name]
    make_secrets(tmp_path / "secrets", database="database:5432", development=True)
    ours = shutil.ignore_patterns("__pycache__")
    shutil.copytree(CHECKOUT / "deploy/dev/fakes", tmp_path / "app/fakes", ignore=ours)

    def here(text: str) -> str:
        text = text.replace("/tmp/", f"{tmp_path}/").replace("$$", "$")  # noqa: S108
        return text.replace("/run/secrets", f"{tmp_path}/secrets")

    environment = {
        "PATH": f"{CHECKOUT}/.venv/bin:/usr/bin:/bin",
        "PYTHONPATH": str(tmp_path / "app"),
        **{name: here(value) for name, value in container["environment"].items()},
        **free_ports(["PORT"]),
        "BIND": LOOPBACK,
    }
    check = container["healthcheck"]["test"][1:]

    def healthy() -> bool:
        asked = subprocess.run(check, env=environment, capture_output=True, check=False)
        assert child.poll() is None, "it ended"
        return asked.returncode == 0

    with subprocess.Popen(
        [here(word) for word in container["command"]],
        cwd=tmp_path / "app",
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as child:
        try:
            eventually(healthy, seconds=60)
        finally:
            child.terminate()
