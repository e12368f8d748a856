"""Routes: GET /api/v1/admin/config · GET, PUT …/config/{key} · GET …/config/{key}/history.

Each key has routes of its own, made from one pattern, so that the API document says what the
values of that key look like.
"""

from typing import Any

from marshmallow import fields, validate

from config_service.api.etags import IF_MATCH, NOT_MODIFIED, required_tags, tagged
from config_service.api.forms import FORMS
from config_service.api.rules import ADMIN
from config_service.api.wired import wired
from config_service.domain.settings import KEYS, MAX_REASON, Edit, Key, Standing, State, Version
from config_service.usecases.change_setting import change_setting
from service_kit.access import allow, current_caller
from service_kit.openapi import Instant, Schema
from service_kit.pagination import PageArguments, decode_cursor, page_of
from service_kit.routes import Blueprint

blp = Blueprint("settings", __name__, description="Settings: every version, by whom, from when")

PATH = "/api/v1/admin/config"


class VersionSchema(Schema):
    version = fields.Integer(required=True, attribute="number")
    state = fields.Enum(State, by_value=True, required=True)
    effective_from = Instant(required=True)
    author = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "a person's id, `system`, or null for a person who is forgotten"},
    )
    reason = fields.String(required=True)
    created_at = Instant(required=True)


class ChangeSchema(Schema):
    reason = fields.String(
        required=True, validate=[validate.Length(1, MAX_REASON), validate.Regexp(r"\s*\S")]
    )
    effective_from = Instant(
        load_default=None,
        allow_none=True,
        metadata={"description": "by the database's clock; absent: from now on"},
    )


class SettingSchema(Schema):
    key = fields.String(required=True)


def _add_routes(key: Key[Any], value: type[Schema]) -> type[Schema]:
    """Add the routes of one key and return the schema of its standing."""
    name = value.__name__.removesuffix("Schema")
    version = _derived(f"{name}Version", VersionSchema, value=fields.Nested(value, required=True))
    change = _derived(f"{name}Change", ChangeSchema, value=fields.Nested(value, required=True))
    setting = _derived(
        f"{name}Setting",
        SettingSchema,
        current=fields.Nested(version, required=True, allow_none=True),
        scheduled=fields.List(fields.Nested(version), required=True),
    )
    history = _derived(
        f"{name}History",
        Schema,
        history=fields.List(fields.Nested(version), required=True),
        next_cursor=fields.String(required=True, allow_none=True),
    )
    path, endpoint = f"{PATH}/{key.name}", key.name.replace("-", "_")

    @blp.get(path, endpoint=f"get_{endpoint}")
    @allow(ADMIN)
    @blp.response(200, setting)
    @blp.alt_response(304, description=NOT_MODIFIED)
    def get_setting() -> Any:
        """Show a setting: what is in force and what is scheduled"""
        with wired().read() as tx:
            standing = tx.settings.standing(key)
        return tagged(_wire(standing), standing.tag)

    @blp.put(path, endpoint=f"put_{endpoint}")
    @allow(ADMIN)
    @blp.doc(parameters=[{**IF_MATCH, "required": True}])
    @blp.arguments(change)
    @blp.response(200, setting)
    @blp.alt_response(412, description="`SETTING_CHANGED`: `If-Match` names another state")
    @blp.alt_response(
        422,
        description="invalid fields, `INVALID_SETTING`, `INVALID_FEE_SCHEDULE` or "
        "`EFFECTIVE_FROM_REFUSED`",
    )
    @blp.alt_response(428, description="`IF_MATCH_REQUIRED`")
    def put_setting(body: dict[str, Any]) -> Any:
        """Set a setting, from now or from a later time on"""
        standing = change_setting(
            wired().begin,
            key=key,
            change=lambda _: body["value"],
            edit=Edit(current_caller().id, body["reason"], body["effective_from"]),
            expected=required_tags(),
        )
        return tagged(_wire(standing), standing.tag)

    @blp.get(f"{path}/history", endpoint=f"get_{endpoint}_history")
    @allow(ADMIN)
    @blp.arguments(PageArguments, location="query", as_kwargs=True)
    @blp.response(200, history)
    def get_history(limit: int, cursor: str | None) -> dict[str, Any]:
        """List the versions of a setting, newest first"""
        before = None if cursor is None else decode_cursor(cursor, int)[0]
        with wired().read() as tx:
            found = tx.settings.history(key, before=before, limit=limit + 1)
        page = page_of(found, limit=limit, key=_sort_key)
        return {"history": page.items, "next_cursor": page.next_cursor}

    return setting


def _derived(name: str, base: type[Schema], **more: fields.Field[Any]) -> type[Schema]:
    return type(name, (base,), dict(more))


def _wire(standing: Standing[Any]) -> dict[str, Any]:
    return {
        "key": standing.key.name,
        "current": standing.in_force,
        "scheduled": standing.scheduled,
    }


def _sort_key(version: Version[Any]) -> list[str]:
    return [str(version.number)]


SettingsResponse = _derived(
    "SettingsResponse",
    Schema,
    **{
        key.name.replace("-", "_"): fields.Nested(_add_routes(key, FORMS[key]), required=True)
        for key in KEYS
    },
)


@blp.get(PATH)
@allow(ADMIN)
@blp.response(200, SettingsResponse)
@blp.alt_response(304, description=NOT_MODIFIED)
def get_settings() -> Any:
    """Show all settings: what is in force and what is scheduled"""
    with wired().read() as tx:
        standings = [tx.settings.standing(key) for key in KEYS]
    answer = {one.key.name.replace("-", "_"): _wire(one) for one in standings}
    return tagged(answer, ".".join(one.tag for one in standings))
