"""Editing a show."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from catalog_service.domain.actors import Actor
from catalog_service.domain.changes import ShowChange, Wish
from catalog_service.domain.edits import (
    Edit,
    check_edit,
    difference,
    edited,
    is_guarded,
    removes_performers,
)
from catalog_service.domain.errors import ChangeInProgress, InvalidFields, ShowChangedMeanwhile
from catalog_service.domain.shows import Show
from catalog_service.repositories.transaction import Begin, Transaction
from catalog_service.usecases.lock_show import lock_show
from catalog_service.usecases.use_image import use_image


def edit_show(
    begin: Begin,
    *,
    actor: Actor,
    show_id: UUID,
    edit: Edit,
    seen_version: int | None,
    now: datetime,
) -> ShowChange | None:
    """Edit a show at once, or wish it edited if buyers could be concerned (docs/rules.md#edits).

    An edit of both kinds is one wish, applied or dropped as a whole.

    Args:
        begin: opens the transaction.
        actor: who edits.
        show_id: the show.
        edit: what is to be different.
        seen_version: the version the edit was made from; None: whichever it is.
        now: the time.

    Returns:
        What booking decides; None if there is nothing to decide.

    Raises:
        ShowNotFound: there is no such show of the actor's.
        ShowChangedMeanwhile: the show has another version than was seen.
        ShowCancelled, ShowEnded, FixedOncePublished, InvalidFields: see `check_edit`.
        AccountClosed: its creator or the actor is being deleted.
        ChangeInProgress: a change of the show has not been decided yet.
    """
    with begin() as tx:
        show = lock_show(tx, actor, show_id)
        if seen_version not in {None, show.version}:
            raise ShowChangedMeanwhile
        bill = tx.comedians.bill(show.id)
        edit = difference(_with_own_entry(tx, show, edit, bill), show, bill)
        check_edit(edit, show, actor, now=now)
        if tx.changes.open_of(show.id) is not None:
            raise ChangeInProgress
        if edit.is_empty:
            return None
        use_image(tx, edit.details.get("poster_image_url"), actor=actor, field="posterImageUrl")
        if not is_guarded(edit, show, bill):
            _apply(tx, show, edit)
            return None
        wish = Wish(
            details=edit.details, bill=edit.bill, unsold_only=removes_performers(edit, bill)
        )
        change = tx.changes.open(show, edit.kind, wish, actor_id=actor.id)
        tx.work.decide_change(change.id)
    return change


def _with_own_entry(tx: Transaction, show: Show, edit: Edit, bill: Sequence[UUID]) -> Edit:
    """Return the edit with comedians that exist, the show's creator among them if it was before."""
    if edit.bill is None:
        return edit
    wanted = list(dict.fromkeys(edit.bill))
    if set(wanted) - tx.comedians.hold(wanted):
        raise InvalidFields({"comedianIds": ["There is no such comedian."]})
    own = tx.comedians.own_entry(show.creator_id)
    if own is not None and own in bill and own not in wanted:
        wanted.append(own)
    return replace(edit, bill=tuple(wanted))


def _apply(tx: Transaction, show: Show, edit: Edit) -> None:
    after = replace(show, details=edited(show.details, edit), version=show.version + 1)
    tx.shows.replace(after)
    if edit.bill is not None:
        tx.comedians.set_bill(show.id, edit.bill)
    tx.work.mirror_offer(show.id, version=after.version)
