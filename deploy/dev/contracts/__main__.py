"""`python -m contracts`: what the Makefile calls."""

import argparse
import shutil
import sys
from collections.abc import Sequence

from contracts.compatibility import breaking_changes
from contracts.documents import committed, committed_file, released, released_file
from devstack.settings import SERVICES

_ADVICE = """\
This breaks callers of the released API. Add beside it instead, and remove once nobody calls the old
(docs/apis.md#changing-an-api)."""


def main() -> int:
    """Do what the command line asks for; status 1 if a change would break callers."""
    parser = argparse.ArgumentParser(prog="contracts")
    parser.add_argument("command", choices=("check", "release"))
    parser.add_argument("--service", choices=SERVICES, action="append")
    asked = parser.parse_args()
    services = asked.service or SERVICES
    broken = _breaking_changes(services)
    for line in broken:
        print(line, file=sys.stderr)
    if asked.command == "release":
        for service in services:
            shutil.copyfile(committed_file(service), released_file(service))
        return 0
    if broken:
        print(_ADVICE, file=sys.stderr)
    return 1 if broken else 0


def _breaking_changes(services: Sequence[str]) -> list[str]:
    return [
        f"{service}: {change}"
        for service in services
        for change in breaking_changes(released(service), committed(service))
    ]


if __name__ == "__main__":
    sys.exit(main())
