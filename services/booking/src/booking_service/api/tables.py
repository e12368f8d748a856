"""Answers as CSV that spreadsheets show and never run."""

import csv
import io
from collections.abc import Sequence

from flask import Response

from service_kit.openapi import Schema

RUN_BY_SPREADSHEETS = ("=", "+", "-", "@", "\t", "\r")


def csv_answer(name: str, schema: Schema, items: Sequence[object]) -> Response:
    """Return what the schema makes of some items, as a CSV file with a header.

    A text that a spreadsheet would take for a formula has an apostrophe before it.
    """
    file = io.StringIO()
    rows = csv.DictWriter(file, [str(field.data_key) for field in schema.dump_fields.values()])
    rows.writeheader()
    for item in schema.dump(items, many=True):
        rows.writerow({column: _harmless(cell) for column, cell in item.items()})
    return Response(
        file.getvalue(),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
    )


def _harmless(cell: object) -> object:
    if isinstance(cell, str) and cell.startswith(RUN_BY_SPREADSHEETS):
        return f"'{cell}"
    return cell
