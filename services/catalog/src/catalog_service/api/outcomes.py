"""Answers to changes of a show: done, refused, gone, or not decided in time."""

from http import HTTPStatus
from typing import Any
from uuid import UUID

from catalog_service.api.documents import percent, show_documents
from catalog_service.api.wired import wired
from catalog_service.domain.actors import Actor
from catalog_service.domain.changes import ChangeStatus, ShowChange
from catalog_service.domain.errors import ChangeRefused, ShowNotFound
from catalog_service.usecases.await_change import await_change
from service_kit import deadline

OUTCOME_SECONDS = 3.0
ANSWER_SECONDS = 0.5  # kept back of the caller's deadline to answer 202


def changed(
    show_id: UUID, change: ShowChange | None, actor: Actor
) -> tuple[dict[str, Any], HTTPStatus]:
    """Return the show after a change, None: one that needed no decision; and the status.

    Raises:
        ChangeRefused: booking did not agree; the show is as it was.
        ShowNotFound: the show has been deleted meanwhile.
    """
    pending = None if change is None else _outcome(change)
    with wired().read() as tx:
        show = tx.shows.editable_by(actor, show_id)
    answer = {
        "show": show_documents(wired(), [show], actor)[0],
        "pending_change": None if pending is None else change_document(pending),
    }
    return answer, HTTPStatus.OK if pending is None else HTTPStatus.ACCEPTED


def deleted(change: ShowChange, actor: Actor) -> tuple[dict[str, Any], HTTPStatus]:
    """Return the answer to a deletion: the show is gone, or still there and the answer is 202.

    Raises:
        ChangeRefused: booking did not agree; the show is as it was.
    """
    try:
        answer, status = changed(change.show_id, change, actor)
    except ShowNotFound:
        return {"success": True, "show": None, "pending_change": None}, HTTPStatus.OK
    return {"success": False, **answer}, status


def change_document(change: ShowChange) -> dict[str, Any]:
    """Return a change with what it wishes, and nothing of what it leaves alone."""
    wish = change.wish
    others = {"status": wish.status, "bill": wish.bill, "reason": wish.reason}
    wished = {**wish.details, **{name: it for name, it in others.items() if it is not None}}
    if wish.fee is not None:
        wished["custom_platform_fee"] = percent(wish.fee.basis_points)
    return {
        "id": change.id,
        "kind": change.kind,
        "wish": wished,
        "status": change.status,
        "refusal_code": change.refusal_code,
        "refusal_text": change.refusal_text,
        "actor_id": change.actor_id,
        "requested_at": change.requested_at,
        "decided_at": change.decided_at,
    }


def _outcome(change: ShowChange) -> ShowChange | None:
    """Wait for the decision; return the change if there is none yet."""
    seconds = max(deadline.remaining(OUTCOME_SECONDS + ANSWER_SECONDS) - ANSWER_SECONDS, 0.0)
    known = await_change(wired().read, change_id=change.id, seconds=seconds)
    if known.status is ChangeStatus.REFUSED:
        raise ChangeRefused(known.refusal_code or "", known.refusal_text or "")
    return known if known.status is ChangeStatus.OPEN else None
