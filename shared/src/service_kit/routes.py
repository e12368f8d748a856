"""Blueprints whose request bodies cannot break the parser."""

from http import HTTPStatus
from typing import Any, cast

import flask_smorest
from flask import Request, request
from marshmallow import Schema
from webargs.flaskparser import FlaskParser
from werkzeug.datastructures import CombinedMultiDict

from service_kit.openapi import ProblemSchema
from service_kit.problems import MEDIA_TYPE, Problem


class _Parser(FlaskParser):
    # what a schema says of unknown members goes for forms with files as for all other bodies
    DEFAULT_UNKNOWN_BY_LOCATION = FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION | {"files": None}

    def load_json(self, req: Request, schema: Schema) -> Any:
        """Read the body; nesting without end and numbers without end are unreadable, too.

        Raises:
            Problem: 400.
        """
        try:
            return super().load_json(req, schema)
        except (RecursionError, ValueError) as error:
            raise Problem(
                HTTPStatus.BAD_REQUEST, "UNREADABLE", "The body is no JSON that can be read."
            ) from error

    def load_files(self, req: Request, schema: Schema) -> Any:
        """Read a form with files, all of it: a document has one body for files and texts."""
        return self._makeproxy(CombinedMultiDict([req.files, req.form]), schema)


def current_request() -> Request:
    """Return the request being served, for much to be read of it: `request` finds it each time."""
    return cast("Request", request._get_current_object())  # type: ignore[attr-defined]


class Blueprint(flask_smorest.Blueprint):
    """A group of routes, each with its place in the API document."""

    ARGUMENTS_PARSER = _Parser()

    def arguments(self, schema: type[Schema] | Schema, **options: Any) -> Any:
        """Declare what the route below takes; the schema is made once, not for every request.

        A body is required if one of its members is.
        """
        made = schema() if isinstance(schema, type) else schema
        if options.get("location") not in {"query", "headers"}:
            options.setdefault("required", any(each.required for each in made.fields.values()))
        return super().arguments(made, **options)

    def alt_response(self, status_code: int, response: str | None = None, **options: Any) -> Any:
        """Document another answer of the route below; errors are problems."""
        if response is None and status_code >= HTTPStatus.BAD_REQUEST:
            options = {"schema": ProblemSchema, "content_type": MEDIA_TYPE, **options}
        return super().alt_response(status_code, response, **options)
