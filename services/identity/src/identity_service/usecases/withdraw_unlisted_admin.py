"""Taking the role of an admin from whoever is no longer listed."""

from dataclasses import replace

from identity_service.domain.audit import Action
from identity_service.domain.people import Role
from identity_service.domain.sign_in import LiveCredential, SignInPolicy
from identity_service.repositories.transaction import Begin
from identity_service.usecases.settle_standing import settle_standing


def withdraw_unlisted_admin(
    begin: Begin, policy: SignInPolicy, credential: LiveCredential
) -> LiveCredential:
    """Return the credential with the role that its holder has by the present list of admins."""
    if credential.role is not Role.ADMIN or policy.is_admin(credential.email):
        return credential
    with begin() as tx:
        role = tx.people.lock(credential.user_id)
        if role is Role.ADMIN and tx.people.withdraw_admin(credential.user_id):
            tx.audit.record(Action.ADMIN_WITHDRAWN, actor_id=None, subject_id=credential.user_id)
            settle_standing(tx, credential.user_id)
            role = tx.people.lock(credential.user_id)
    return replace(credential, role=role or Role.AUDIENCE)
