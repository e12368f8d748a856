"""One scan: all values, all tables, all folders."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from erasure_scan.files import search_files
from erasure_scan.findings import Evidence, Finding
from erasure_scan.forms import forms_of
from erasure_scan.matcher import Matcher
from erasure_scan.tables import search_tables


def scan(
    auditor_url: str | None, folders: Iterable[Path], values: Mapping[str, str]
) -> list[Finding]:
    """Return everything that is left of a person; nothing is the proof of an erasure.

    Args:
        auditor_url: the database, as a role that may read all of it; None to search files only.
        folders: what is below them is searched, too; single files can be named.
        values: what is known of the person, by what it is called in the findings.

    Raises:
        TooShort: a value would be found everywhere.
        Unreadable: something could not be searched, so that nothing is proved.
    """
    return examine(auditor_url, folders, values).findings


def examine(
    auditor_url: str | None, folders: Iterable[Path], values: Mapping[str, str]
) -> Evidence:
    """Scan like `scan`, and return what was searched as well."""
    matcher = Matcher(form for name, value in values.items() for form in forms_of(name, value))
    evidence = Evidence()
    if auditor_url:
        search_tables(auditor_url, matcher, evidence)
    for folder in folders:
        search_files(folder, matcher, evidence)
    return evidence
