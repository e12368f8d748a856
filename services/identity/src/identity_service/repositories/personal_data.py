"""Every query for what is stored about one person."""

from collections.abc import Mapping
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from identity_service.domain.second_factor import account_key
from identity_service.models import (
    AccountDeletionRow,
    AccountRow,
    AdminPasswordRow,
    ApiTokenRow,
    ApprovalRow,
    AuditEntryRow,
    AuditPersonRow,
    Base,
    ComedianProfileRow,
    OrganizerProfileRow,
    PasswordAttemptsRow,
    SessionRow,
    StandingRow,
    UserRow,
)

Record: TypeAlias = Mapping[str, Any]  # a row, by column

MAX_AUDIT_ENTRIES = 10_000  # the newest; so that an answer has an end


class PersonalDataRepository:
    """All rows about a person, whatever they are for."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def of(self, user_id: UUID) -> dict[str, Any] | None:
        """Return the person's rows by what they are about, None if there is no such person.

        Secrets are among them as they are stored: whoever shows this chooses what is shown.
        """
        account = self._one(UserRow, UserRow.id == user_id)
        if account is None:
            return None
        return {
            "account": account,
            "provider_accounts": self._all(AccountRow, AccountRow.user_id == user_id),
            "sessions": self._all(SessionRow, SessionRow.user_id == user_id),
            "api_tokens": self._all(ApiTokenRow, ApiTokenRow.user_id == user_id),
            "organizer_profile": self._one(
                OrganizerProfileRow, OrganizerProfileRow.user_id == user_id
            ),
            "comedian_profile": self._one(
                ComedianProfileRow, ComedianProfileRow.user_id == user_id
            ),
            "approvals": self._all(ApprovalRow, ApprovalRow.user_id == user_id),
            "standing": self._one(StandingRow, StandingRow.user_id == user_id),
            "admin_password": self._one(AdminPasswordRow, AdminPasswordRow.user_id == user_id),
            "password_attempts": self._one(
                PasswordAttemptsRow, PasswordAttemptsRow.key == account_key(str(user_id))
            ),
            "account_deletions": self._all(
                AccountDeletionRow, AccountDeletionRow.person_id == user_id
            ),
            "audit_entries": self._audit_entries(user_id),
        }

    def _audit_entries(self, user_id: UUID) -> list[Record]:
        """Return what the person did and what was done to the person, newest first.

        What an entry says of somebody else's state is that person's, and is left out.
        """
        reference = self._session.scalar(
            select(AuditPersonRow.reference).where(AuditPersonRow.user_id == user_id)
        )
        if reference is None:
            return []
        found = self._session.scalars(
            select(AuditEntryRow)
            .where(or_(AuditEntryRow.actor == reference, AuditEntryRow.subject == reference))
            .order_by(AuditEntryRow.id.desc())
            .limit(MAX_AUDIT_ENTRIES)
        )
        return [_seen_by(reference, row) for row in found]

    def _all(self, table: type[Base], condition: ColumnElement[bool]) -> list[Record]:
        rows = self._session.scalars(
            select(table).where(condition).order_by(*table.__table__.primary_key)
        )
        return [_record(row) for row in rows]

    def _one(self, table: type[Base], condition: ColumnElement[bool]) -> Record | None:
        return next(iter(self._all(table, condition)), None)


def _record(row: Base) -> Record:
    return {column.key: getattr(row, column.key) for column in row.__table__.columns}


def _seen_by(reference: UUID, row: AuditEntryRow) -> Record:
    theirs = row.subject not in (None, reference)
    hidden = {"before": None, "after": None} if theirs else {}
    return {
        **_record(row),
        **hidden,
        "by_you": row.actor == reference,
        "about_you": not theirs,
    }
