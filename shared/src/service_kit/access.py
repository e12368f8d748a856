"""Who may call a route: declared beside it, denied by default, checked before anything else."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from http import HTTPStatus
from typing import Any, TypeVar, cast
from uuid import UUID

from flask import Flask, Request, g
from werkzeug.exceptions import RequestEntityTooLarge

from service_kit.problems import Problem
from service_kit.rate_limits import RateLimits
from service_kit.routes import current_request
from service_kit.tokens import (
    SECOND_FACTOR,
    AnyCaller,
    Caller,
    CallingService,
    InvalidToken,
    KeysUnavailable,
    SuspendedCaller,
    TokenVerifier,
)

Route = TypeVar("Route", bound=Callable[..., Any])

_ATTRIBUTE = "__access__"
_FORM_ATTRIBUTE = "__accepts__"
_LIMIT_ATTRIBUTE = "__body_limit__"
_UNCHECKED_ENDPOINTS = {"static"}

MAX_BODY_BYTES = 2**20


class Credentials(Enum):
    """What a caller of a route shows."""

    NONE = "none"
    PERSON = "person"
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class Access:
    """A rule about callers, with the name under which the reviewed table lists it.

    Without `reads_token` nobody looks at the Authorization header before the route does.
    """

    name: str
    admits: Callable[[AnyCaller | None], bool]
    credentials: Credentials = Credentials.PERSON
    needs_second_factor: bool = False
    reads_token: bool = True


EVERYONE = Access("everyone", lambda _caller: True, credentials=Credentials.NONE)
SIGNED_IN = Access("signed in", lambda caller: isinstance(caller, Caller))


def people(name: str, admits: Callable[[Caller], bool]) -> Access:
    """Return the rule that admits signed-in people for whom `admits` is true."""
    return Access(name, lambda caller: isinstance(caller, Caller) and admits(caller))


def suspended_too(access: Access) -> Access:
    """Return the rule that admits the same people, and those whose sign-ins are suspended.

    Its name is the same: what those people show is a sign-in, only one that does not count.
    """
    return replace(
        access,
        admits=lambda caller: isinstance(caller, SuspendedCaller) or access.admits(caller),
    )


def with_second_factor(access: Access) -> Access:
    """Return the rule that admits the same people after their second factor only."""
    return replace(access, name=f"{access.name} with second factor", needs_second_factor=True)


def services(scope: str) -> Access:
    """Return the rule that admits other services holding a token for this one with `scope`."""
    return Access(
        f"service with {scope}",
        lambda caller: isinstance(caller, CallingService) and scope in caller.scopes,
        credentials=Credentials.SERVICE,
    )


def allow(access: Access) -> Callable[[Route], Route]:
    """Declare who may call the route below."""

    def declare(route: Route) -> Route:
        setattr(route, _ATTRIBUTE, access)
        return route

    return declare


def accepts(*media_types: str) -> Callable[[Route], Route]:
    """Declare that the route below takes bodies of these types instead of JSON only."""

    def declare(route: Route) -> Route:
        setattr(route, _FORM_ATTRIBUTE, media_types)
        return route

    return declare


def at_most(body_bytes: int) -> Callable[[Route], Route]:
    """Declare how large a body the route below takes, instead of `MAX_BODY_BYTES`."""

    def declare(route: Route) -> Route:
        setattr(route, _LIMIT_ATTRIBUTE, body_bytes)
        return route

    return declare


def declared_access(app: Flask, endpoint: str) -> Access | None:
    """Return the rule of an endpoint, None if it has not declared one."""
    return getattr(app.view_functions[endpoint], _ATTRIBUTE, None)


def guard(app: Flask, verifier: TokenVerifier | None, rates: RateLimits | None) -> None:
    """Check every request: who asks, how often, and then the media type of the body."""

    @app.before_request
    def check_access() -> None:
        asked = current_request()
        endpoint = asked.endpoint
        if endpoint is None or endpoint in _UNCHECKED_ENDPOINTS:
            return  # unknown path or method: answered 404 or 405
        access = declared_access(app, endpoint)
        if access is None:
            raise RuntimeError(f"{endpoint} does not say who may call it")
        view = app.view_functions[endpoint]
        asked.max_content_length = getattr(view, _LIMIT_ATTRIBUTE, MAX_BODY_BYTES)
        caller = _identify(asked, verifier) if access.reads_token else None
        g.caller = caller
        if not access.admits(caller):
            raise _refusal(access, caller)
        if access.needs_second_factor and SECOND_FACTOR not in current_caller().amr:
            raise Problem(
                HTTPStatus.FORBIDDEN,
                "SECOND_FACTOR_REQUIRED",
                "Please confirm with your password first.",
            )
        if rates is not None:
            rates.count(asked, view, caller)
        _check_media_type(asked, getattr(view, _FORM_ATTRIBUTE, None))
        _check_length(asked)


def require_declarations(app: Flask) -> None:
    """Refuse to build an app that has a route without a rule.

    Raises:
        RuntimeError: names the routes.
    """
    silent = sorted(
        rule.rule
        for rule in app.url_map.iter_rules()
        if rule.endpoint not in _UNCHECKED_ENDPOINTS and not declared_access(app, rule.endpoint)
    )
    if silent:
        raise RuntimeError(f"these routes do not say who may call them: {', '.join(silent)}")


def current_caller() -> Caller:
    """Return the signed-in person; only for routes whose rule admits nobody else."""
    return cast("Caller", g.caller)


def current_person_id() -> UUID:
    """Return who asks; only for routes whose rule admits people only, `suspended_too` or not."""
    return cast("Caller | SuspendedCaller", g.caller).id


def current_caller_or_none() -> Caller | None:
    """Return the signed-in person, None for everybody else."""
    return g.caller if isinstance(g.caller, Caller) else None


def _identify(asked: Request, verifier: TokenVerifier | None) -> AnyCaller | None:
    scheme, _, token = asked.environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    if not scheme:
        return None
    if scheme.lower() != "bearer" or verifier is None:
        raise _unauthorized("These credentials are not accepted here. Please sign in again.")
    try:
        return verifier.verify(token)
    except InvalidToken as error:
        raise _unauthorized("Your sign-in is no longer valid. Please sign in again.") from error
    except KeysUnavailable as error:
        raise Problem(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "UNAVAILABLE",
            "Sign-ins cannot be checked at the moment. Please try again.",
            headers={"Retry-After": "1"},
        ) from error


def _refusal(access: Access, caller: AnyCaller | None) -> Problem:
    if caller is None:
        return _unauthorized("Please sign in first.")
    return Problem(HTTPStatus.FORBIDDEN, "FORBIDDEN", f"This is only for: {access.name}.")


def _unauthorized(error: str) -> Problem:
    return Problem(
        HTTPStatus.UNAUTHORIZED, "UNAUTHENTICATED", error, headers={"WWW-Authenticate": "Bearer"}
    )


def _check_media_type(asked: Request, accepted: tuple[str, ...] | None) -> None:
    if asked.method in {"GET", "HEAD", "OPTIONS", "DELETE"} or not _has_body(asked):
        return
    expected = accepted or ("application/json",)
    if asked.mimetype not in expected:
        raise Problem(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "UNSUPPORTED_MEDIA_TYPE",
            f"Send the body as {' or '.join(expected)}.",
        )


def _check_length(asked: Request) -> None:
    """Refuse a body that is said to be too large before any of it is read."""
    if (asked.content_length or 0) > (asked.max_content_length or MAX_BODY_BYTES):
        raise RequestEntityTooLarge


def _has_body(asked: Request) -> bool:
    return bool(asked.content_length) or "Transfer-Encoding" in asked.headers
