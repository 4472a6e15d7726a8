"""Stand-ins that speak the HTTP of Stripe and Razorpay, for their official SDKs to talk to.

Written from the vendors' API references: paths, form or JSON bodies, authentication, idempotency,
error documents. They keep books, so that a test may ask what really happened "over there".
"""

import base64
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

Json = dict[str, Any]


class Vendor:
    """The books and habits of one vendor. `down`: how many requests are answered with 500."""

    prefix = ""

    def __init__(self) -> None:
        self.down = 0
        self.calls: list[str] = []
        self.things: dict[str, Json] = {}
        self.answers: dict[str, Json] = {}
        self.lock = threading.Lock()

    def new(self, kind: str, **fields: Any) -> Json:
        thing = {"id": f"{kind}_{len(self.things) + 1}", **fields}
        self.things[thing["id"]] = thing
        return thing

    def of_kind(self, kind: str) -> list[Json]:
        return [thing for name, thing in self.things.items() if name.startswith(f"{kind}_")]

    def handle(self, method: str, path: str, query: Json, body: Json, key: str) -> Json | None:
        raise NotImplementedError

    def trusts(self, authorization: str) -> bool:
        raise NotImplementedError

    def refusal(self) -> Json:
        raise NotImplementedError


def _listed(items: list[Json]) -> Json:
    return {"object": "list", "data": items, "has_more": False, "url": "/v1/x"}


class StripeStandIn(Vendor):
    def trusts(self, authorization: str) -> bool:
        return authorization == "Bearer sk_test_standin"

    def refusal(self) -> Json:
        return {"error": {"type": "invalid_request_error", "code": "resource_missing"}}

    def handle(self, method: str, path: str, query: Json, body: Json, key: str) -> Json | None:
        del query
        if key and key in self.answers:
            return self.answers[key]
        answer = self._handle(method, path.removeprefix("/v1/"), body)
        if key and answer is not None:
            self.answers[key] = answer
        return answer

    def _handle(self, method: str, path: str, body: Json) -> Json | None:
        match method, path.split("/"):
            case "POST", ["payment_intents"]:
                return self.new(
                    "pi",
                    object="payment_intent",
                    amount=int(body["amount"]),
                    amount_received=0,
                    currency=body["currency"],
                    client_secret="pi_secret",
                    status="requires_payment_method",
                    metadata={"payment": body["metadata[payment]"]},
                    last_payment_error=None,
                )
            case "GET", ["payment_intents", name]:
                return self.things.get(name)
            case "POST", ["refunds"]:
                intent = self.things.get(body["payment_intent"])
                if intent is None or intent["status"] != "succeeded":
                    return None
                return self.new(
                    "re",
                    object="refund",
                    amount=int(body["amount"]),
                    currency=intent["currency"],
                    payment_intent=intent["id"],
                    status="succeeded",
                    failure_reason=None,
                    metadata={"refund": body["metadata[refund]"]},
                )
            case "GET", ["charges"]:
                return _listed([self._charge(each) for each in self.of_kind("pi")])
            case "GET", ["refunds"]:
                return _listed(self.of_kind("re"))
        return None

    def _charge(self, intent: Json) -> Json:
        return {
            "id": f"ch_{intent['id']}",
            "object": "charge",
            "paid": intent["status"] == "succeeded",
            "payment_intent": intent["id"],
            "amount_captured": intent["amount_received"],
            "currency": intent["currency"],
        }

    def event(self, kind: str, thing: Json) -> Json:
        """A webhook's body, as the API reference has it."""
        return {
            "id": f"evt_{kind}_{thing['id']}",
            "object": "event",
            "api_version": "2025-01-01",
            "created": int(time.time()),
            "type": kind,
            "data": {"object": thing},
            "livemode": False,
            "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": None},
        }

    def succeed(self, name: str) -> Json:
        intent = self.things[name]
        intent |= {"status": "succeeded", "amount_received": intent["amount"]}
        return self.event("payment_intent.succeeded", intent)


class RazorpayStandIn(Vendor):
    def trusts(self, authorization: str) -> bool:
        return authorization == "Basic " + base64.b64encode(b"rzp_test:rzp_secret").decode()

    def refusal(self) -> Json:
        return {"error": {"code": "BAD_REQUEST_ERROR", "description": "The id does not exist"}}

    def handle(self, method: str, path: str, query: Json, body: Json, key: str) -> Json | None:
        match method, path.removeprefix("/v1/").split("/"):
            case "POST", ["orders"]:
                return self.new(
                    "order",
                    entity="order",
                    amount=body["amount"],
                    currency=body["currency"],
                    receipt=body["receipt"],
                    notes=body["notes"],
                    status="created",
                )
            case "GET", ["orders"]:
                found = [o for o in self.of_kind("order") if o["receipt"] == query.get("receipt")]
                return {"entity": "collection", "count": len(found), "items": found}
            case "GET", ["orders", name, "payments"]:
                paid = [p for p in self.of_kind("pay") if p["order_id"] == name]
                return {"entity": "collection", "count": len(paid), "items": paid}
            case "POST", ["payments", name, "refund"]:
                return self._refund(name, body, key)
            case "GET", ["payments" | "refunds" as kind]:
                items = self.of_kind("pay" if kind == "payments" else "rfnd")
                return {"entity": "collection", "count": len(items), "items": items}
        return None

    def _refund(self, name: str, body: Json, key: str) -> Json | None:
        if key in self.answers:
            return self.answers[key]
        paid = self.things.get(name)
        if paid is None or paid["status"] != "captured":
            return None
        self.answers[key] = self.new(
            "rfnd",
            entity="refund",
            amount=body["amount"],
            currency=paid["currency"],
            payment_id=name,
            notes=body["notes"],
            status="processed",
        )
        return self.answers[key]

    def succeed(self, order: str) -> Json:
        made = self.things[order]
        paid = self.new(
            "pay",
            entity="payment",
            amount=made["amount"],
            currency=made["currency"],
            order_id=order,
            status="captured",
            notes=made["notes"],
            error_code=None,
        )
        return self.event("payment.captured", payment=paid)

    def event(self, kind: str, **things: Json) -> Json:
        """A webhook's body, as the API reference has it."""
        return {
            "entity": "event",
            "account_id": "acc_1",
            "event": kind,
            "contains": list(things),
            "payload": {name: {"entity": thing} for name, thing in things.items()},
            "created_at": int(time.time()),
        }


@contextmanager
def serving(vendor: Vendor) -> Iterator[str]:
    """The vendor on a loopback port; its base URL, without a slash at the end."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer("GET")

        def do_POST(self) -> None:
            self._answer("POST")

        def _answer(self, method: str) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            if "json" in self.headers.get("Content-Type", ""):
                body = json.loads(raw or "{}")
            else:
                body = {name: values[0] for name, values in parse_qs(raw).items()}
            key = self.headers.get("Idempotency-Key") or self.headers.get("X-Refund-Idempotency")
            with vendor.lock:
                vendor.calls.append(f"{method} {parts.path}")
                status, said = 200, None
                if not vendor.trusts(self.headers.get("Authorization", "")):
                    status, said = 401, vendor.refusal()
                elif vendor.down:
                    vendor.down -= 1
                    status, said = 500, {"error": {"code": "SERVER_ERROR", "description": "down"}}
                else:
                    said = vendor.handle(method, parts.path, query, body, key or "")
                    if said is None:
                        status, said = 400, vendor.refusal()
            sent = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
