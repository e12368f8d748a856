"""Who may call the routes of this service, and as whom."""

from http import HTTPStatus
from uuid import UUID

from catalog_service.api.wired import wired
from catalog_service.domain.actors import Actor
from service_kit.access import (
    current_caller,
    current_caller_or_none,
    people,
    services,
    with_second_factor,
)
from service_kit.problems import Problem
from service_kit.tokens import SECOND_FACTOR, Caller

CREATORS = people(
    "approved organizers and comedians, and admins", lambda caller: _actor(caller).may_create
)
ADMIN = with_second_factor(people("admins", lambda caller: _actor(caller).is_admin))
EXPORTERS = services("catalog:people:export")
PURGERS = services("catalog:purge-user")
STANDING_WRITERS = services("catalog:standing:write")


def current_actor_or_none() -> Actor | None:
    """Return the signed-in person, None for everybody else."""
    caller = current_caller_or_none()
    return None if caller is None else _actor(caller)


def current_actor() -> Actor:
    """Return the signed-in person; only for routes whose rule admits nobody else."""
    actor = current_actor_or_none()
    if actor is None:
        raise RuntimeError("this route admits callers that are not people")
    return actor


def actor_for(show_id: UUID) -> Actor:
    """Return the person who changes a show; admins change others' after their second factor only.

    Raises:
        Problem: 403 `SECOND_FACTOR_REQUIRED`.
    """
    if _is_admin_without_second_factor():
        with wired().read() as tx:
            show = tx.shows.find(show_id)
        if show is not None:
            _require_own(show.creator_id)
    return current_actor()


def actor_for_entry(comedian_id: UUID) -> Actor:
    """Return the person who changes an entry of the directory, under the same rule as a show.

    Raises:
        Problem: 403 `SECOND_FACTOR_REQUIRED`.
        ComedianNotFound: there is no such entry.
    """
    if _is_admin_without_second_factor():
        with wired().read() as tx:
            entry = tx.comedians.find(comedian_id)
        _require_own(entry.created_by)
    return current_actor()


def _is_admin_without_second_factor() -> bool:
    return current_actor().is_admin and SECOND_FACTOR not in current_caller().amr


def _require_own(owner_id: UUID | None) -> None:
    if owner_id != current_actor().id:
        raise Problem(
            HTTPStatus.FORBIDDEN,
            "SECOND_FACTOR_REQUIRED",
            "Please confirm with your password first.",
        )


def _actor(caller: Caller) -> Actor:
    return Actor(id=caller.id, role=caller.role, approved=caller.approved)
