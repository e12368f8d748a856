"""Forms of the sign-in pages: what they carry, and that they are filled in on our own."""

from http import HTTPStatus

from flask import Response, redirect, request
from marshmallow import EXCLUDE, fields

from identity_service.api.cookies import Cookies
from identity_service.api.wired import wired
from identity_service.domain.csrf import proves_same_page
from identity_service.domain.exchange import comes_from_our_pages
from identity_service.domain.redirects import safe_callback_url
from service_kit.openapi import Schema
from service_kit.problems import Problem

FORM = "application/x-www-form-urlencoded"


class CallbackForm(Schema):
    csrf_token = fields.String(load_default=None, metadata={"description": "from `/csrf`"})
    callback_url = fields.Raw(  # none of ours, if it is no text: no reason to stop here
        load_default=None,
        metadata={"type": "string", "description": "where to go afterwards, on the same origin"},
    )
    json = fields.String(load_default=None, metadata={"description": "`true`; the answer is JSON"})

    class Meta:
        unknown = EXCLUDE  # the front end sends options along


class UrlResponse(Schema):
    url = fields.String(required=True, metadata={"description": "where the browser goes next"})


def require_our_page(cookies: Cookies, form_token: str | None) -> None:
    """Check that the form was filled in on one of our own pages.

    Raises:
        Problem: 403; with `url`, the page to begin again on, which the front end follows.
    """
    settings = wired().settings
    origin = request.headers.get("Origin")
    ours = comes_from_our_pages("POST", origin, origins=settings.origins)
    if ours and proves_same_page(form_token, cookies.csrf, secret=settings.csrf_secret):
        return
    raise Problem(
        HTTPStatus.FORBIDDEN,
        "CSRF",
        "This page is out of date. Please try again.",
        url=f"{settings.public_url}/auth/signin?csrf=true",
    )


def safe_url(asked: str | None) -> str:
    """Return where the browser may go afterwards."""
    settings = wired().settings
    return safe_callback_url(asked, public_url=settings.public_url, origins=settings.origins)


def see(url: str) -> Response:
    """Send the browser to an address."""
    return redirect(url, Response=Response)  # type: ignore[return-value]
