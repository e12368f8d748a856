"""The one table in which refusals become HTTP."""

from http import HTTPStatus

from config_service.domain.errors import ConfigError, InvalidFeeSchedule, NoFeeSchedule

STATUS: dict[type[Exception], HTTPStatus] = {
    ConfigError: HTTPStatus.CONFLICT,
    InvalidFeeSchedule: HTTPStatus.UNPROCESSABLE_ENTITY,
    NoFeeSchedule: HTTPStatus.SERVICE_UNAVAILABLE,
}
