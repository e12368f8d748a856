"""The provider's API, and the control of what happens beyond it."""

import hashlib
import hmac
import time
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, abort, jsonify, request

from fakes.razorpay.books import Books, Refused
from fakes.razorpay.faults import ApiFault, Faults, UnknownFault
from fakes.razorpay.settings import Settings
from fakes.razorpay.webhooks import Webhooks

OUTCOMES = ("created", "authorized", "captured", "failed")
RELEASES = ("as_made", "reversed", "shuffled")


def create_app(settings: Settings | None = None) -> Flask:
    """Return the provider as a WSGI application, its settings from the environment by default."""
    settings = settings or Settings.from_env()
    app = Flask(__name__)
    faults = Faults()
    webhooks = Webhooks(settings.webhook_url, settings.webhook_secret, faults)
    books = Books(faults, webhooks.announce)
    _guard(app, settings)
    _misbehave(app, faults)
    _add_orders(app, books)
    _add_payments(app, books)
    _add_checkout(app, settings, books)
    _add_faults(app, faults)
    _add_insight(app, books, webhooks)

    @app.get("/healthz")
    def get_health() -> dict[str, str]:
        return {"status": "ok"}

    return app


def _guard(app: Flask, settings: Settings) -> None:
    """Ask for the merchant's keys."""

    @app.before_request
    def check() -> Response | None:
        given = request.authorization
        keys = (settings.key_id, settings.key_secret)
        if _is_api() and (given is None or (given.username, given.password) != keys):
            return _error(HTTPStatus.UNAUTHORIZED, "Authentication failed")
        return None

    @app.errorhandler(Refused)
    def refuse(refusal: Refused) -> Response:
        return _error(HTTPStatus.BAD_REQUEST, refusal.description, refusal.field)


def _misbehave(app: Flask, faults: Faults) -> None:
    """Have the API answer as wrongly as the faults say."""

    @app.before_request
    def fail() -> Response | None:
        return _failure() if _is_api() and faults.api is ApiFault.ERROR else None

    @app.after_request
    def spoil(response: Response) -> Response:
        if not _is_api():
            return response
        if faults.api is ApiFault.LOST_REPLY:
            return _failure()
        if faults.api is ApiFault.GARBAGE:
            return Response("<html>It works!</html>", mimetype="text/html")
        if faults.api is ApiFault.WRONG_AMOUNT and "amount" in (entity := response.get_json()):
            return jsonify({**entity, "amount": entity["amount"] + 100})
        if faults.api is ApiFault.SLOW:
            time.sleep(faults.delay_seconds)
        return response


def _is_api() -> bool:
    return request.path.startswith("/v1/")


def _add_orders(app: Flask, books: Books) -> None:
    @app.post("/v1/orders")
    def post_order() -> dict[str, Any]:
        return books.create_order(_wish())

    @app.get("/v1/orders")
    def get_orders() -> dict[str, Any]:
        return _collection(books.orders(request.args.get("receipt")))

    @app.get("/v1/orders/<order_id>")
    def get_order(order_id: str) -> dict[str, Any]:
        return books.order(order_id)

    @app.get("/v1/orders/<order_id>/payments")
    def get_payments_of_order(order_id: str) -> dict[str, Any]:
        return _collection(books.payments_of(order_id))


def _add_payments(app: Flask, books: Books) -> None:
    @app.get("/v1/payments/<payment_id>")
    def get_payment(payment_id: str) -> dict[str, Any]:
        return books.payment(payment_id)

    @app.post("/v1/payments/<payment_id>/capture")
    def post_capture(payment_id: str) -> dict[str, Any]:
        return books.capture(payment_id, _wish())

    @app.post("/v1/payments/<payment_id>/refund")
    def post_refund(payment_id: str) -> dict[str, Any]:
        return books.refund(payment_id, _wish(), request.headers.get("X-Refund-Idempotency"))

    @app.get("/v1/payments/<payment_id>/refunds")
    def get_refunds(payment_id: str) -> dict[str, Any]:
        return _collection(books.refunds_of(payment_id))

    @app.get("/v1/refunds/<refund_id>")
    def get_refund(refund_id: str) -> dict[str, Any]:
        return books.one_refund(refund_id)


def _add_checkout(app: Flask, settings: Settings, books: Books) -> None:
    """Do what buyers and banks do. JSON only: no page of another origin can send that."""

    @app.post("/control/orders/<order_id>/payments")
    def post_payment(order_id: str) -> dict[str, Any]:
        """Pay, and return what the checkout hands to the browser."""
        wish = _wish()
        outcome = _one_of(OUTCOMES, wish.get("outcome", "captured"))
        payment = books.pay(order_id, outcome, wish.get("amount"))
        signed = f"{order_id}|{payment['id']}".encode()
        signature = hmac.new(settings.key_secret.encode(), signed, hashlib.sha256)
        return {
            "razorpay_order_id": order_id,
            "razorpay_payment_id": payment["id"],
            "razorpay_signature": signature.hexdigest(),
        }

    @app.post("/control/payments/<payment_id>/authorization")
    def post_authorization(payment_id: str) -> dict[str, Any]:
        _wish()
        return books.authorize(payment_id)

    @app.post("/control/refunds/<refund_id>/settlement")
    def post_settlement(refund_id: str) -> dict[str, Any]:
        return books.settle(refund_id, _one_of(("processed", "failed"), _wish().get("status")))


def _add_faults(app: Flask, faults: Faults) -> None:
    """Let tests make the provider fail."""

    @app.get("/control/faults")
    def get_faults() -> dict[str, Any]:
        return faults.shown()

    @app.put("/control/faults")
    def put_faults() -> dict[str, Any]:
        try:
            faults.become(_wish())
        except UnknownFault:
            abort(HTTPStatus.UNPROCESSABLE_ENTITY)
        return faults.shown()


def _add_insight(app: Flask, books: Books, webhooks: Webhooks) -> None:
    """Let tests see what was ordered and sent, and send it again."""

    @app.get("/control/orders")
    def get_all_orders() -> dict[str, Any]:
        return _collection(books.orders(None))

    @app.get("/control/webhooks")
    def get_webhooks() -> dict[str, Any]:
        return _collection(webhooks.shown())

    @app.post("/control/webhooks/release")
    def post_release() -> dict[str, Any]:
        return {"released": webhooks.release(_one_of(RELEASES, _wish().get("order", "as_made")))}

    @app.post("/control/webhooks/<event_id>/delivery")
    def post_delivery(event_id: str) -> dict[str, Any]:
        _wish()
        event = webhooks.send_again(event_id)
        if event is None:
            abort(HTTPStatus.NOT_FOUND)
        return event


def _wish() -> dict[str, Any]:
    """Return the body, which must be a JSON object."""
    body = request.get_json()
    if not isinstance(body, dict):
        abort(HTTPStatus.BAD_REQUEST)
    return body


def _one_of(options: tuple[str, ...], value: Any) -> str:
    if value not in options:
        abort(HTTPStatus.UNPROCESSABLE_ENTITY)
    return str(value)


def _collection(items: list[dict[str, Any]]) -> dict[str, Any]:
    return {"entity": "collection", "count": len(items), "items": items}


def _failure() -> Response:
    return _answer(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        {"code": "SERVER_ERROR", "description": "The server encountered an error."},
    )


def _error(status: HTTPStatus, description: str, field: str | None = None) -> Response:
    return _answer(
        status,
        {
            "code": "BAD_REQUEST_ERROR",
            "description": description,
            "source": "business",
            "step": "NA",
            "reason": "input_validation_failed",
            "metadata": {},
            **({"field": field} if field else {}),
        },
    )


def _answer(status: HTTPStatus, error: dict[str, Any]) -> Response:
    response = jsonify(error=error)
    response.status_code = status
    return response
