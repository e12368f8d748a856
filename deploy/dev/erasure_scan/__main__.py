"""`python -m erasure_scan ID EMAIL`: search for the values of these variables of the environment.

The values are no arguments: those can be read by everybody on the machine. DATABASE_URL is the
database as the auditor, SCAN_FOLDERS the folders, separated as in PATH.
"""

import os
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from erasure_scan.errors import ScanError
from erasure_scan.findings import Evidence
from erasure_scan.scan import examine

NAMES = ("ID", "EMAIL", "NAME", "PHONE", "VALUE")
_USAGE = f"say whom: at least one of {', '.join(f'{name}=…' for name in NAMES)}"
_NOT_SEARCHED = (
    "not searched: backups, what the payment and sign-in providers keep, and Postgres' own files"
)
_BUCKET = "NOT SEARCHED: uploads are in a bucket (MEDIA_STORAGE=s3); list and search it there"


def main(names: Sequence[str]) -> int:
    """Scan, print what was searched and found; status 1 if anything was, 2 if nothing is proved."""
    values = {name: os.environ[name] for name in names if os.environ.get(name)}
    folders = [Path(each) for each in os.environ.get("SCAN_FOLDERS", "").split(os.pathsep) if each]
    began = time.monotonic()
    try:
        if not values:
            raise ScanError(_USAGE)
        evidence = examine(os.environ["DATABASE_URL"], folders, values)
    except ScanError as error:
        print(f"erasure-scan: {error}", file=sys.stderr)
        return 2
    _report(evidence, values, time.monotonic() - began)
    return 1 if evidence.findings else 0


def _report(evidence: Evidence, values: dict[str, str], seconds: float) -> None:
    schemas: Counter[str] = Counter()
    for table, rows in evidence.rows.items():
        schemas[table.partition(".")[0]] += rows
    for schema, rows in schemas.items():
        print(f"{rows:>10} rows   {schema}")
    for folder, files in evidence.files.items():
        print(f"{files:>10} files  {folder}{'' if Path(folder).exists() else ' (not there)'}")
    if os.environ.get("MEDIA_STORAGE") == "s3":
        print(_BUCKET)
    print(_NOT_SEARCHED)
    for finding in evidence.findings:
        print(finding)
    found = f"{len(evidence.findings)} places with something" if evidence.findings else "nothing"
    of = f"{len(values)} value{'s' if len(values) > 1 else ''} ({', '.join(values)})"
    print(
        f"{found} found of {of}"
        f" in {evidence.rows.total()} rows and {evidence.files.total()} files ({seconds:.1f} s)"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
