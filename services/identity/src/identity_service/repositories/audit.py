"""Every query about the audit log."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Uuid, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased
from uuid_utils.compat import uuid7

from identity_service.domain.audit import Action, AuditEntry, AuditFilter, AuditPerson
from identity_service.models import AuditEntryRow, AuditPersonRow, UserRow
from service_kit.request_ids import current_request_id


class AuditRepository:
    """The log that this service may add to and read, nothing else."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def record(
        self,
        action: Action,
        *,
        actor_id: UUID | None,
        subject_id: UUID | None = None,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
    ) -> None:
        """Write down what this transaction does; nothing personal in `before` and `after`."""
        self._session.add(
            AuditEntryRow(
                id=uuid7(),
                action=action.value,
                actor=self._reference(actor_id),
                subject=self._reference(subject_id),
                before=before,
                after=after,
                request_id=current_request_id(),
            )
        )

    def entries(
        self, wanted: AuditFilter, *, limit: int, before: UUID | None
    ) -> Sequence[AuditEntry]:
        """Return entries that fit, newest first, from the one after `before` on."""
        actor, actor_user = aliased(AuditPersonRow), aliased(UserRow)
        subject, subject_user = aliased(AuditPersonRow), aliased(UserRow)
        limits: list[tuple[Any, Callable[[Any], ColumnElement[bool]]]] = [
            (wanted.action, AuditEntryRow.action.__eq__),
            (wanted.actor_id, actor.user_id.__eq__),
            (wanted.subject_id, subject.user_id.__eq__),
            (wanted.since, AuditEntryRow.created_at.__ge__),
            (wanted.until, AuditEntryRow.created_at.__lt__),
            (before, AuditEntryRow.id.__lt__),
        ]
        found = self._session.execute(
            select(
                AuditEntryRow,
                actor_user.id,
                actor_user.email,
                subject_user.id,
                subject_user.email,
            )
            .outerjoin(actor, actor.reference == AuditEntryRow.actor)
            .outerjoin(actor_user, actor_user.id == actor.user_id)
            .outerjoin(subject, subject.reference == AuditEntryRow.subject)
            .outerjoin(subject_user, subject_user.id == subject.user_id)
            .where(*(fits(value) for value, fits in limits if value is not None))
            .order_by(AuditEntryRow.id.desc())
            .limit(limit)
        )
        return [
            AuditEntry(
                id=row.id,
                action=row.action,
                actor=_person(row.actor, actor_id, actor_email),
                subject=_person(row.subject, subject_id, subject_email),
                before=row.before,
                after=row.after,
                request_id=row.request_id,
                created_at=row.created_at,
            )
            for row, actor_id, actor_email, subject_id, subject_email in found
        ]

    def _reference(self, user_id: UUID | None) -> UUID | None:
        """Return the name of a person in the log, None for one who is gone meanwhile."""
        if user_id is None:
            return None
        there = (
            select(UserRow.id, literal(uuid4(), Uuid))
            .where(UserRow.id == user_id)
            .with_for_update(read=True, key_share=True)
        )
        self._session.execute(
            insert(AuditPersonRow)
            .from_select(["user_id", "reference"], there)
            .on_conflict_do_nothing()
        )
        return self._session.scalar(
            select(AuditPersonRow.reference).where(AuditPersonRow.user_id == user_id)
        )


def _person(reference: UUID | None, user_id: UUID | None, email: str | None) -> AuditPerson | None:
    return None if reference is None else AuditPerson(reference, user_id, email)
