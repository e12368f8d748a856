"""Letting an admin who forgot the password choose another one."""

from uuid import UUID

from identity_service.domain.audit import Action
from identity_service.domain.errors import UnknownPerson
from identity_service.domain.people import Role
from identity_service.domain.second_factor import account_key
from identity_service.repositories.transaction import Begin, Transaction


def reset_admin_password(begin: Begin, *, email: str) -> int:
    """Remove the password of the admins with this e-mail, and return how many had one.

    All their sessions end: who only has one of them, and could not pass the second factor, shall
    not be the one who chooses the next password.

    Raises:
        UnknownPerson: no admin has this e-mail.
    """
    removed = 0
    with begin() as tx:
        admins = [user_id for user_id in tx.people.with_email(email) if _is_admin(tx, user_id)]
        if not admins:
            raise UnknownPerson
        for user_id in admins:
            removed += tx.admin_passwords.remove(user_id, attempts=account_key(str(user_id)))
            tx.sessions.end_all_of(user_id)
            tx.audit.record(Action.PASSWORD_RESET, actor_id=None, subject_id=user_id)
    return removed


def _is_admin(tx: Transaction, user_id: UUID) -> bool:
    return tx.people.lock(user_id) is Role.ADMIN
