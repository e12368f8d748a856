"""Who may call the routes of this service, and as whom."""

from catalog_service.domain.actors import Actor
from service_kit.access import current_caller_or_none, people, services
from service_kit.tokens import Caller

CREATORS = people(
    "approved organizers and comedians, and admins", lambda caller: _actor(caller).may_create
)
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


def _actor(caller: Caller) -> Actor:
    return Actor(id=caller.id, role=caller.role, approved=caller.approved)
