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
    actor = current_actor()
    if actor.is_admin and SECOND_FACTOR not in current_caller().amr:
        with wired().read() as tx:
            show = tx.shows.find(show_id)
        if show is not None and show.creator_id != actor.id:
            raise Problem(
                HTTPStatus.FORBIDDEN,
                "SECOND_FACTOR_REQUIRED",
                "Please confirm with your password first.",
            )
    return actor


def _actor(caller: Caller) -> Actor:
    return Actor(id=caller.id, role=caller.role, approved=caller.approved)
