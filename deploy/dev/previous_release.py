"""`make previous-release`: does the last release of a service still work on the schema of today?

While a service is released, and after a way back, the release before runs on the schema of the next
one. So here it does: its code and its API tests, from the last tag `<service>/v*`, on a schema that
this checkout has migrated.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devstack.settings import CHECKOUT, SERVICES


def last_release(service: str, *, checkout: Path = CHECKOUT) -> str | None:
    """Return the tag of the last release of a service; None if there was none."""
    newest_first = ("--sort=-version:refname", "--merged", "HEAD")
    tags = _git(checkout, "tag", "--list", *newest_first, f"{service}/v*").split()
    return tags[0] if tags else None


def works_on_this_schema(
    service: str, tag: str, *, checkout: Path = CHECKOUT, tests: str = "tests/api"
) -> bool:
    """Run tests of a release, which tell what fails, on the schema of a checkout."""
    with _worktree(checkout, tag) as release:
        sources = ("deploy/dev", "shared/src", *(f"services/{each}/src" for each in SERVICES))
        kept = {name: it for name, it in os.environ.items() if not name.startswith("PYTEST_")}
        told = {
            "PYTHONPATH": os.pathsep.join(str(release / source) for source in sources),
            "SCHEMA_FROM": str(checkout),
        }
        suite = f"services/{service}/{tests}"
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", suite]
        return subprocess.run(command, cwd=release, env=kept | told, check=False).returncode == 0


@contextmanager
def _worktree(checkout: Path, tag: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        release = Path(folder).resolve() / "release"
        _git(checkout, "worktree", "add", "--detach", str(release), tag)
        try:
            yield release
        finally:
            _git(checkout, "worktree", "remove", "--force", str(release))


def _git(checkout: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(checkout), *words], capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"git {words[0]}: {done.stderr.strip()}")
    return done.stdout


def main() -> int:
    """Judge one service, or all."""
    parser = argparse.ArgumentParser(prog="previous_release")
    parser.add_argument("service", nargs="*", default=SERVICES)
    failed = []
    for service in parser.parse_args().service:
        tag = last_release(service)
        if tag is None:
            print(f"{service}: not released yet (no tag {service}/v*), nothing to live with")
        elif not works_on_this_schema(service, tag):
            failed.append(f"{tag} does not work on the schema of today (docs/releases.md)")
    print(*failed, sep="\n", end="\n" if failed else "")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
