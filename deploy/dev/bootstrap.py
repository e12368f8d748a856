"""Makes `.venv` from the hash-pinned lock; does nothing if it is what the lock says.

Uses the standard library only, and syntax that any Python 3 reads, so that an old one can say what
is missing. pip is used as the machine configured it.
"""
# ruff: noqa: UP032 - an old Python could not read f-strings

import fcntl
import glob
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from typing import BinaryIO

OLDEST_PYTHON = (3, 11)
CHECKOUT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LOCK = os.path.join(CHECKOUT, "deploy", "dev", "requirements.txt")
VENV = os.path.join(CHECKOUT, ".venv")
PYTHON = os.path.join(VENV, "bin", "python")
STAMP = os.path.join(VENV, "comedy-connect.stamp")
LOG = os.path.join(VENV, "install.log")
INCOMPLETE = "incomplete\n"


def main() -> None:
    """Leave a virtual environment that is complete and up to date, or say what is missing."""
    with open(LOCK, "rb") as lock:
        wait_for_turn(lock)
        # Scripts in it name its place and its programs fit one system: elsewhere it is made anew.
        place = "{} {} {}\n".format(VENV, os.uname().sysname, os.uname().machine)
        wanted = place + hashlib.sha256(lock.read()).hexdigest() + "\n"
        stamp = read(STAMP) if os.path.exists(PYTHON) else ""
        if stamp != wanted:
            if not stamp.startswith(place):
                require_python()
                create(lock)
            install(lock)
            write(STAMP, wanted)
    write_import_path()


def wait_for_turn(lock: "BinaryIO") -> None:
    """Let one installation be the only one; programs it started hold the lock as well."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        say("waiting for another installation in this checkout")
        fcntl.flock(lock, fcntl.LOCK_EX)


def require_python() -> None:
    """Go on with a Python that is new enough and complete, if there is one."""
    if sys.version_info < OLDEST_PYTHON:
        for minor in range(19, OLDEST_PYTHON[1] - 1, -1):
            newer = shutil.which("python3.{}".format(minor))
            if newer:
                os.execv(newer, [newer] + sys.argv)  # noqa: RUF005, S606 - old syntax; no shell
        give_up(
            "Python 3.11 or newer is needed and this is {}.{}: "
            "name another with `make PYTHON=/path/to/python3 …`".format(*sys.version_info[:2])
        )
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        give_up(
            "{} cannot make virtual environments: "
            "on Debian and Ubuntu, apt install python{}.{}-venv".format(
                sys.executable, *sys.version_info[:2]
            )
        )


def create(lock: "BinaryIO") -> None:
    """Make an empty virtual environment in place of anything broken, moved or half made."""
    say("making the virtual environment .venv")
    if os.path.islink(VENV):
        os.unlink(VENV)
    shutil.rmtree(VENV, ignore_errors=True)
    os.makedirs(VENV)
    write(STAMP, INCOMPLETE)
    run([sys.executable, "-m", "venv", VENV], lock, quiet)


def install(lock: "BinaryIO") -> None:
    """Have pip install what the lock says, and show how far it is."""
    write(STAMP, INCOMPLETE)  # until the end: an interruption is noticed by it
    total = sum("==" in line for line in read(LOCK).splitlines())
    began = time.time()
    watched = sys.stdout.isatty()
    last = [0.0]

    def show(output: str) -> None:
        pause = 0.5 if watched else 5
        if time.time() - last[0] >= pause:
            last[0] = time.time()
            text = "  {} ({:.0f} s)".format(doing(output, total), time.time() - began)
            sys.stdout.write("\r" + text.ljust(60) if watched else text + "\n")
            sys.stdout.flush()

    say("installing {} packages from deploy/dev/requirements.txt".format(total))
    command = [PYTHON, "-I", "-m", "pip", "install", "--require-hashes", "--no-deps", "-r", LOCK]
    command += ["--no-input", "--progress-bar", "off", "--disable-pip-version-check"]
    run(command, lock, show)
    say(("\r" if watched else "") + "  installed ({:.0f} s)".format(time.time() - began).ljust(60))


def doing(output: str, total: int) -> str:
    """Tell from pip's output what it is at."""
    if "\nInstalling collected" in output:
        return "unpacking"
    starts = ("Collecting ", "Processing ", "Requirement already satisfied", "Ignoring ")
    found = sum(line.startswith(starts) for line in output.splitlines())
    return "downloading {}/{}".format(min(found, total), total)


def quiet(_: str) -> None:
    """Show nothing."""


def run(command: "list[str]", lock: "BinaryIO", show: "Callable[[str], None]") -> None:
    """Run a program, showing its progress; if it fails, show the end of its output and give up."""
    environment = dict(os.environ, PIP_USER="0")
    environment.pop("PYTHONHOME", None)
    with open(LOG, "wb") as log:
        process = subprocess.Popen(
            command,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            pass_fds=[lock.fileno()],
        )
    while process.poll() is None:
        time.sleep(0.1)
        show(read(LOG))
    if process.returncode:
        lines = [line for line in read(LOG).splitlines() if not line.startswith("WARNING")]
        sys.stderr.write("\n" + "\n".join(lines[-10:]) + "\n")
        give_up("{} failed; all it said is in {}".format(" ".join(command[:5]), LOG))


def write_import_path() -> None:
    """Let the environment import the sources in this checkout."""
    services = sorted(glob.glob(os.path.join(CHECKOUT, "services", "*", "")))
    folders = [os.path.join(CHECKOUT, "shared", "src")]
    folders += [os.path.join(service, "src") for service in services]
    folders += [os.path.join(CHECKOUT, "deploy", "dev")]
    for site in glob.glob(os.path.join(VENV, "lib", "python3*", "site-packages")):
        write(os.path.join(site, "comedy-connect.pth"), "\n".join(folders) + "\n")


def read(path: str) -> str:
    """Return the text of a file, nothing if there is none."""
    if not os.path.exists(path):
        return ""
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def write(path: str, text: str) -> None:
    """Have a file contain this text; left alone if it does."""
    if read(path) != text:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)


def say(text: str) -> None:
    """Tell the person who waits."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def give_up(reason: str) -> None:
    """End with one line that says why."""
    sys.exit("bootstrap: " + reason)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        give_up("interrupted; the next `make` starts the installation again")
