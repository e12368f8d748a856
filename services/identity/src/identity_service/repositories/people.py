"""Every query about people and their accounts."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, case, cast, delete, exists, func, select, text, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from identity_service.domain import second_factor
from identity_service.domain.approvals import ApprovalStatus
from identity_service.domain.people import (
    Changes,
    ComedianProfile,
    CreatorProfile,
    Onboarding,
    OrganizerProfile,
    Person,
    PublicPerson,
    Role,
    is_approved,
)
from identity_service.domain.sign_in import ProviderIdentity
from identity_service.models import (
    PROFILE_ROWS,
    ROLE,
    AccountRow,
    ApiTokenRow,
    ApprovalRow,
    ComedianProfileRow,
    CreatorProfileRow,
    OrganizerProfileRow,
    PasswordAttemptsRow,
    SessionRow,
    UserRow,
)


class PeopleRepository:
    """People, by id or by who they are at a sign-in provider."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def of_account(self, provider: str, subject: str) -> UUID | None:
        """Return whose account this is, None if it is nobody's yet.

        Until the transaction ends, everybody else who asks about this account waits: two first
        sign-ins at the same moment make one person.
        """
        self._session.execute(
            text("SELECT pg_advisory_xact_lock(hashtextextended(:account, 0))"),
            {"account": f"account:{provider}:{subject}"},
        )
        return self._session.scalar(
            select(AccountRow.user_id).where(
                AccountRow.provider == provider, AccountRow.subject == subject
            )
        )

    def add(self, user_id: UUID, provider: str, identity: ProviderIdentity) -> None:
        """Add a person who just signed in for the first time, as a member of the audience."""
        self._session.add(
            UserRow(
                id=user_id,
                role=Role.AUDIENCE,
                email=identity.email,
                name=identity.name,
                image=identity.image,
            )
        )
        self._session.flush()  # the account refers to it
        self._session.add(AccountRow(provider=provider, subject=identity.subject, user_id=user_id))

    def with_email(self, email: str) -> Sequence[UUID]:
        """Return everybody with this e-mail, in any case, in the order in which they are locked."""
        found = self._session.scalars(
            select(UserRow.id)
            .where(func.lower(UserRow.email) == email.lower())
            .order_by(UserRow.id)
        )
        return list(found)

    def refresh(self, user_id: UUID, identity: ProviderIdentity) -> None:
        """Take over the provider's present e-mail, and a name and image where there is none."""
        self._session.execute(
            update(UserRow)
            .where(UserRow.id == user_id)
            .values(
                email=identity.email,
                name=func.coalesce(UserRow.name, identity.name),
                image=func.coalesce(UserRow.image, identity.image),
            )
        )

    def make_admin(self, user_id: UUID) -> bool:
        """Make the person an admin; return whether that is new."""
        made = self._session.execute(
            update(UserRow)
            .where(UserRow.id == user_id, UserRow.role != Role.ADMIN)
            .values(role=Role.ADMIN)
            .returning(UserRow.id)
        )
        return made.one_or_none() is not None

    def withdraw_admin(self, user_id: UUID) -> bool:
        """Give an admin the role back that the profile shows; return whether it was one."""
        withdrawn = self._session.execute(
            update(UserRow)
            .where(UserRow.id == user_id, UserRow.role == Role.ADMIN)
            .values(
                role=cast(
                    case(
                        (_has_profile(OrganizerProfileRow), Role.ORGANIZER),
                        (_has_profile(ComedianProfileRow), Role.COMEDIAN),
                        else_=Role.AUDIENCE,
                    ),
                    ROLE,
                )
            )
            .returning(UserRow.id)
        )
        return withdrawn.one_or_none() is not None

    def lock(self, user_id: UUID) -> Role | None:
        """Return the person's role, which stays as it is until the transaction ends.

        None if there is no such person, or the account is being deleted: it counts as gone.
        """
        return self._session.scalar(
            select(UserRow.role)
            .where(UserRow.id == user_id, UserRow.closed_by.is_(None))
            .with_for_update()
        )

    def lock_even_if_closed(self, user_id: UUID) -> tuple[Role, UUID | None] | None:
        """Return the person's role and the deletion for which the account is closed, if it is.

        Both stay as they are until the transaction ends. None if there is no such person.
        """
        found = self._session.execute(
            select(UserRow.role, UserRow.closed_by).where(UserRow.id == user_id).with_for_update()
        ).one_or_none()
        return None if found is None else (found.role, found.closed_by)

    def exists(self, user_id: UUID) -> bool:
        """Return whether there is such a person."""
        return self._session.scalar(select(UserRow.id).where(UserRow.id == user_id)) is not None

    def is_closed(self, user_id: UUID) -> bool:
        """Return whether the account is being deleted; it stays so until the transaction ends."""
        return bool(
            self._session.scalar(
                select(UserRow.closed_by.is_not(None))
                .where(UserRow.id == user_id)
                .with_for_update(read=True)
            )
        )

    def close(self, user_id: UUID, *, by: UUID) -> Role | None:
        """Have nobody sign in, and no sign-in count, for the sake of a deletion; return the role.

        An ADMIN's account stays open. None if there is no such person. Harmless if repeated.
        """
        role = self._session.scalar(
            select(UserRow.role).where(UserRow.id == user_id).with_for_update()
        )
        if role not in (None, Role.ADMIN):
            self._session.execute(
                update(UserRow)
                .where(UserRow.id == user_id, UserRow.closed_by.is_(None))
                .values(closed_by=by, updated_at=UserRow.updated_at)
            )
        return role

    def reopen(self, user_id: UUID, *, by: UUID) -> None:
        """Let sign-ins count again that this deletion suspended."""
        self._session.execute(
            update(UserRow)
            .where(UserRow.id == user_id, UserRow.closed_by == by)
            .values(closed_by=None, updated_at=UserRow.updated_at)
        )

    def erase(self, user_id: UUID) -> dict[str, int]:
        """Remove a person with all that hangs on her, and return how many rows of each kind."""
        counts = {
            "sessions": self._count(SessionRow.user_id, user_id),
            "apiTokens": self._count(ApiTokenRow.user_id, user_id),
            "profiles": sum(self._count(row.user_id, user_id) for row in PROFILE_ROWS.values()),
            "approvals": self._count(ApprovalRow.user_id, user_id),
        }
        self._session.execute(
            delete(PasswordAttemptsRow).where(
                PasswordAttemptsRow.key == second_factor.account_key(str(user_id))
            )
        )
        gone = self._session.execute(
            delete(UserRow).where(UserRow.id == user_id).returning(UserRow.id)
        )
        return {"accounts": len(gone.all()), **counts}

    def ids_after(self, last: UUID | None, *, limit: int) -> Sequence[UUID]:
        """Return some people's ids, in order."""
        query = select(UserRow.id).order_by(UserRow.id).limit(limit)
        if last is not None:
            query = query.where(UserRow.id > last)
        return self._session.scalars(query).all()

    def set_role(self, user_id: UUID, role: Role) -> None:
        """Change the role of a person locked in this transaction."""
        self._session.execute(update(UserRow).where(UserRow.id == user_id).values(role=role))

    def change(self, user_id: UUID, changes: Changes) -> None:
        """Store what a person changes about herself."""
        self._session.execute(update(UserRow).where(UserRow.id == user_id).values(**changes))

    def onboard(self, user_id: UUID, answers: Onboarding) -> None:
        """Store the answers of a person who is locked; the moment of the first ones stays."""
        self._session.execute(
            update(UserRow)
            .where(UserRow.id == user_id)
            .values(
                name=answers.name,
                age=answers.age,
                city=answers.city,
                watched_comedy=answers.watched_comedy,
                phone=answers.phone,
                heard_about_us=answers.heard_about_us,
                bio=answers.bio,
                interests=list(answers.interests),
                onboarded_at=func.coalesce(UserRow.onboarded_at, func.now()),
            )
        )

    def get(self, user_id: UUID) -> Person | None:
        """Return a person with profiles and standing, None if there is no such person."""
        found = self._session.execute(
            select(UserRow, OrganizerProfileRow, ComedianProfileRow, newest_approval())
            .outerjoin(OrganizerProfileRow, OrganizerProfileRow.user_id == UserRow.id)
            .outerjoin(ComedianProfileRow, ComedianProfileRow.user_id == UserRow.id)
            .where(UserRow.id == user_id)
        ).one_or_none()
        return None if found is None else _person(*found)

    def public(self, user_ids: Iterable[UUID]) -> list[PublicPerson]:
        """Return what others may know of these people; unknown ids are left out."""
        public_name = func.coalesce(
            OrganizerProfileRow.name, ComedianProfileRow.stage_name, UserRow.name
        )
        found = self._session.execute(
            select(UserRow.id, public_name, UserRow.role, newest_approval(), UserRow.image)
            .outerjoin(OrganizerProfileRow, OrganizerProfileRow.user_id == UserRow.id)
            .outerjoin(ComedianProfileRow, ComedianProfileRow.user_id == UserRow.id)
            .where(UserRow.id.in_(list(user_ids)))
            .order_by(UserRow.id)
        )
        return [
            PublicPerson(
                id=user_id,
                name=name,
                role=role,
                approved=is_approved(role, approval),
                image=image,
            )
            for user_id, name, role, approval, image in found
        ]

    def _count(self, column: InstrumentedAttribute[UUID], user_id: UUID) -> int:
        found = self._session.scalar(select(func.count()).where(column == user_id))
        return found or 0


def newest_approval() -> ColumnElement[ApprovalStatus | None]:
    """Return the newest approval of the `UserRow` of the same statement, as a column."""
    return (
        select(ApprovalRow.status)
        .where(ApprovalRow.user_id == UserRow.id)
        .order_by(ApprovalRow.number.desc())
        .limit(1)
        .correlate(UserRow)
        .scalar_subquery()
    )


def _has_profile(profile: type[CreatorProfileRow]) -> ColumnElement[bool]:
    return exists().where(profile.user_id == UserRow.id)


def _person(
    row: UserRow,
    organizer: OrganizerProfileRow | None,
    comedian: ComedianProfileRow | None,
    approval: ApprovalStatus | None,
) -> Person:
    return Person(
        id=row.id,
        email=row.email,
        name=row.name,
        image=row.image,
        role=row.role,
        approval=approval,
        onboarding_completed=row.onboarded_at is not None,
        phone=row.phone,
        age=row.age,
        city=row.city,
        bio=row.bio,
        language=row.language,
        interests=tuple(row.interests),
        heard_about_us=row.heard_about_us,
        created_at=row.created_at,
        comedian_profile=comedian_profile(comedian) if comedian else None,
        organizer_profile=organizer_profile(organizer) if organizer else None,
    )


def profile_of(row: CreatorProfileRow) -> CreatorProfile:
    """Return what a creator tells."""
    match row:
        case OrganizerProfileRow():
            return organizer_profile(row)
        case ComedianProfileRow():
            return comedian_profile(row)
    raise TypeError(type(row))


def organizer_profile(row: OrganizerProfileRow) -> OrganizerProfile:
    """Return what an organizer tells."""
    return OrganizerProfile(
        name=row.name, description=row.description, venue=row.venue, **_told_by_all(row)
    )


def comedian_profile(row: ComedianProfileRow) -> ComedianProfile:
    """Return what a comedian tells."""
    return ComedianProfile(stage_name=row.stage_name, bio=row.bio, **_told_by_all(row))


def _told_by_all(row: CreatorProfileRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "contact": row.contact,
        "youtube_urls": tuple(row.youtube_urls),
        "instagram_urls": tuple(row.instagram_urls),
        "social_links": row.social_links,
    }
