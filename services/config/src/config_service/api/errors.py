"""The one table in which refusals become HTTP."""

from http import HTTPStatus

from config_service.domain import errors

STATUS: dict[type[Exception], HTTPStatus] = {
    errors.ConfigError: HTTPStatus.CONFLICT,
    errors.InvalidFeeSchedule: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.InvalidSetting: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.EffectiveFromRefused: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.SettingChanged: HTTPStatus.PRECONDITION_FAILED,
    errors.ChangeScheduled: HTTPStatus.CONFLICT,
    errors.AccountClosed: HTTPStatus.CONFLICT,
    errors.AnotherDeletion: HTTPStatus.CONFLICT,
    errors.NotSetUp: HTTPStatus.SERVICE_UNAVAILABLE,
}
