"""A service whose answer takes as long as it is asked to, built like ours."""

import time

from flask import request

from service_kit.access import EVERYONE, allow
from service_kit.routes import Blueprint
from service_kit.web import ServiceDescription, service_app

blp = Blueprint("naps", __name__)


@blp.get("/naps")
@allow(EVERYONE)
@blp.response(200)
def get_nap() -> dict[str, float]:
    """Sleep"""
    seconds = request.args.get("seconds", 0.0, float)
    time.sleep(seconds)
    return {"slept": seconds}


app = service_app(
    ServiceDescription("naps", "Naps", "1", "Naps."),
    blueprints=[blp],
    refusals=(Exception, {}),
    verifier=None,
    ready=lambda: None,
)
