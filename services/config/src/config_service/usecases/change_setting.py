"""Changing the configuration."""

from collections.abc import Callable, Container

from config_service.domain.settings import Edit, Key, Standing, V, start_of
from config_service.repositories.transaction import Begin


def change_setting(
    begin: Begin,
    *,
    key: Key[V],
    change: Callable[[Standing[V]], V],
    edit: Edit,
    expected: Container[str] | None,
) -> Standing[V]:
    """Append a version of a setting and return how the setting stands then.

    From its start on it replaces every earlier version, scheduled ones included. Changes of a key
    queue up; each is judged by what the one before it left. What is in force already and stays so
    is not written again.

    Args:
        begin: opens the transaction.
        key: the setting.
        change: returns the new value, given how the setting stands.
        edit: who, why, from when.
        expected: the tags the caller has seen; None if the caller says nothing about them.

    Raises:
        SettingChanged: the setting no longer is what the caller has seen.
        ChangeScheduled: the caller says nothing, and a scheduled change would be replaced.
        EffectiveFromRefused: it would start in the past or too far ahead.
        InvalidSetting, InvalidFeeSchedule: the new value is not one.
        AccountClosed: the author's account is gone.
    """
    with begin() as tx:
        if edit.author is not None:
            tx.deletions.require_not_purged(edit.author)
        standing = tx.settings.lock(key)
        standing.check_known(expected)
        value = change(standing)
        if standing.already_says(value, edit):
            return standing
        tx.settings.add(
            key,
            value,
            number=standing.newest + 1,
            author=tx.authors.reference_of(edit.author),
            reason=edit.reason,
            effective_from=start_of(edit, now=tx.settings.now()),
        )
        return tx.settings.standing(key)
