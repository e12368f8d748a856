"""Asking an admin for the password, slowly for those who guess."""

from uuid import UUID

from identity_service.domain.audit import Action
from identity_service.domain.errors import PasswordNotSet, TooManyAttempts, WrongPassword
from identity_service.domain.passwords import is_password
from identity_service.domain.second_factor import attempt_keys
from identity_service.repositories.transaction import Begin


def check_admin_password(begin: Begin, *, user_id: UUID, address: str, password: str) -> str:
    """Return the stored hash that the password fits; every attempt is counted and written down.

    Raises:
        PasswordNotSet: there is none yet.
        TooManyAttempts: for this account or from this address nobody may try at the moment.
        WrongPassword: it is another one.
    """
    keys = attempt_keys(str(user_id), address)
    with begin() as tx:
        stored = tx.admin_passwords.hash_of(user_id)
        wait = tx.admin_passwords.count_attempt(keys) if stored else 0
        if wait:
            tx.audit.record(Action.SECOND_FACTOR_BLOCKED, actor_id=user_id)
    if stored is None:
        raise PasswordNotSet
    if wait:
        raise TooManyAttempts(wait)
    right = is_password(stored, password)  # takes a while: not while rows are locked
    with begin() as tx:
        if right:
            tx.admin_passwords.forgive(keys)
        else:
            tx.audit.record(Action.SECOND_FACTOR_FAILED, actor_id=user_id)
    if not right:
        raise WrongPassword
    return stored
