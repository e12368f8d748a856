"""An admin's second factor.

GET /api/v1/admin/check-session · POST /api/v1/admin/{set-password,verify-password,auth/logout}
"""

from http import HTTPStatus
from typing import Any, NoReturn
from uuid import UUID

from marshmallow import ValidationError, fields, validates_schema

from identity_service.api.rules import ADMIN_BEFORE_SECOND_FACTOR, ADMIN_IN_A_BROWSER
from identity_service.api.wired import wired
from identity_service.domain.errors import SignedOut, TooManyAttempts
from identity_service.domain.passwords import MAX_LENGTH
from identity_service.usecases.end_second_factor import end_second_factor
from identity_service.usecases.pass_second_factor import pass_second_factor
from identity_service.usecases.set_admin_password import set_admin_password
from service_kit.access import allow, current_caller
from service_kit.client_address import client_address
from service_kit.openapi import Schema
from service_kit.problems import Problem
from service_kit.routes import Blueprint, current_request
from service_kit.tokens import SECOND_FACTOR

blp = Blueprint("second-factor", __name__, description="The second factor of admins")


class CheckSessionResponse(Schema):
    authenticated = fields.Boolean(
        required=True, metadata={"description": "whether this session has given its second factor"}
    )
    needs_password_setup = fields.Boolean(required=True)


class SetPasswordRequest(Schema):
    password = fields.String(required=True)
    confirm_password = fields.String(required=True)
    current_password = fields.String(
        load_default=None, metadata={"description": "needed to change a password"}
    )

    @validates_schema
    def check_confirmation(self, body: dict[str, Any], **_kwargs: Any) -> None:
        """Refuse two different passwords."""
        if body["password"] != body["confirm_password"]:
            raise ValidationError("The passwords differ.", "confirmPassword")


class VerifyPasswordRequest(Schema):
    password = fields.String(required=True)


class SuccessResponse(Schema):
    success = fields.Boolean(required=True)


@blp.get("/api/v1/admin/check-session")
@allow(ADMIN_BEFORE_SECOND_FACTOR)
@blp.response(200, CheckSessionResponse)
def get_check_session() -> dict[str, Any]:
    """Show whether the second factor is given, and whether there is one at all"""
    caller = current_caller()
    with wired().read() as tx:
        stored = tx.admin_passwords.hash_of(caller.id)
    return {"authenticated": SECOND_FACTOR in caller.amr, "needs_password_setup": stored is None}


@blp.post("/api/v1/admin/set-password")
@allow(ADMIN_IN_A_BROWSER)
@blp.arguments(SetPasswordRequest)
@blp.response(200, SuccessResponse)
@blp.alt_response(403, description="`WRONG_PASSWORD`")
@blp.alt_response(409, description="`PASSWORD_ALREADY_SET`")
@blp.alt_response(429, description="`TOO_MANY_ATTEMPTS`")
def post_set_password(body: dict[str, Any]) -> dict[str, Any]:
    """Choose the password; once there is one, the present one is needed to change it"""
    current = body["current_password"]
    try:
        set_admin_password(
            wired().begin,
            user_id=current_caller().id,
            session_id=_session_id(),
            address=client_address(current_request()),
            password=body["password"],
            current_password=None if current is None else current[: MAX_LENGTH + 1],
        )
    except TooManyAttempts as refusal:
        _refuse(refusal)
    return {"success": True}


@blp.post("/api/v1/admin/verify-password")
@allow(ADMIN_IN_A_BROWSER)
@blp.arguments(VerifyPasswordRequest, as_kwargs=True)
@blp.response(200, SuccessResponse)
@blp.alt_response(403, description="`WRONG_PASSWORD`")
@blp.alt_response(409, description="`PASSWORD_NOT_SET`")
@blp.alt_response(429, description="`TOO_MANY_ATTEMPTS`")
def post_verify_password(password: str) -> dict[str, Any]:
    """Give the second factor; it lasts for two hours in this session"""
    try:
        pass_second_factor(
            wired().begin,
            user_id=current_caller().id,
            session_id=_session_id(),
            address=client_address(current_request()),
            password=password[: MAX_LENGTH + 1],  # longer ones are wrong, and take no longer
        )
    except TooManyAttempts as refusal:
        _refuse(refusal)
    return {"success": True}


@blp.post("/api/v1/admin/auth/logout")
@allow(ADMIN_IN_A_BROWSER)
@blp.response(200, SuccessResponse)
def post_logout() -> dict[str, Any]:
    """Give the second factor back; the session goes on without it"""
    end_second_factor(wired().begin, user_id=current_caller().id, session_id=_session_id())
    return {"success": True}


def _session_id() -> UUID:
    try:
        return UUID(current_caller().session_id)
    except ValueError as error:
        raise SignedOut from error


def _refuse(refusal: TooManyAttempts) -> NoReturn:
    raise Problem(
        HTTPStatus.TOO_MANY_REQUESTS,
        refusal.code,
        str(refusal),
        headers={"Retry-After": str(refusal.retry_after_seconds)},
    ) from refusal
