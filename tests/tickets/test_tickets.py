"""A confirmed booking has one ticket, which says what a traveller and a gate need."""

import io
import json
import re
import zlib
from base64 import b64decode, urlsafe_b64decode
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import jwt
import pytest
from django.test import Client
from icalendar import Calendar
from PIL import Image

from config import clock
from config.outbox.consumers import consume_pending
from config.outbox.models import OutboxEvent
from reservations.models import Booking
from reservations.tickets.issue import issue_confirmed, ticket_of
from reservations.tickets.models import Ticket, TicketMail
from reservations.tickets.page import view_ticket
from tests.engine import Traveller
from tests.tickets.conftest import HINDI, Book
from trains.models import Departure

pytestmark = pytest.mark.django_db


def test_the_ticket_shows_the_booking(anna: Traveller, book: Book, departure: Departure) -> None:
    booked = book(anna, "S1-1", "S1-2", passengers=[{"name": HINDI, "age": 31}, {"name": "Ben"}])
    shown = anna.get(f"tickets/{booked['pnr'].lower()}/").json()
    assert shown["pnr"] == booked["pnr"]
    assert shown["validity_status"] == "valid"
    assert shown["seats"] == ["S1-1", "S1-2"]
    assert shown["travel_classes"] == ["SL", "SL"]
    assert [each["name"] for each in shown["passengers"]] == [HINDI, "Ben"]
    assert shown["fare"] == booked["fare"]
    leaves = departure.starts_at + timedelta(hours=8)
    assert datetime.fromisoformat(shown["source"]["at"]) == leaves
    assert shown["source"]["local"] == f"{departure.service_date}T08:00:00+05:30"
    image = Image.open(io.BytesIO(b64decode(shown["qr"].partition(",")[2])))
    assert image.format == "PNG"
    assert image.width == image.height > 200


def test_a_ticket_is_seen_by_its_owner_and_staff_and_by_nobody_else(
    anna: Traveller, bela: Traveller, controller: Traveller, book: Book
) -> None:
    pnr = book(anna)["pnr"]
    for path in (f"tickets/{pnr}/", f"tickets/{pnr}.pdf", f"tickets/{pnr}.ics"):
        assert bela.get(path).status_code == 404
        assert Client().get(f"/api/v1/{path}").status_code == 401
        assert controller.get(path).status_code == 200
    assert anna.get("tickets/AAAAAAAAAA/").status_code == 404


def test_the_token_is_checked_offline_with_the_public_key_alone(
    anna: Traveller, book: Book, departure: Departure
) -> None:
    token = anna.get(f"tickets/{book(anna)['pnr']}/").json()["token"]
    (jwk,) = Client().get("/api/v1/tickets/keys/").json()["keys"]
    assert "d" not in jwk
    key = jwt.PyJWK.from_json(json.dumps(jwk))
    claims = jwt.decode(token, key.key, algorithms=["EdDSA"])
    assert (claims["dep"], claims["sts"], claims["ser"]) == (departure.id, ["S1-1"], 1)
    head, body, signature = token.split(".")
    assert jwt.get_unverified_header(token) == {"alg": "EdDSA", "typ": "JWT", "kid": jwk["kid"]}
    other = json.loads(urlsafe_b64decode(body + "==")) | {"sts": ["S1-2"]}
    forged = jwt.encode(other, "", algorithm="none").split(".")[1]
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(f"{head}.{forged}.{signature}", key.key, algorithms=["EdDSA"])


def test_it_is_issued_once_by_the_outbox_or_the_first_look(anna: Traveller, book: Book) -> None:
    first, second = book(anna, "S1-1"), book(anna, "S1-2")
    number = anna.get(f"tickets/{first['pnr']}/").json()["ticket_number"]
    while consume_pending():
        pass
    events = list(OutboxEvent.objects.filter(kind="booking.confirmed"))
    issue_confirmed(events)  # delivered twice
    assert Ticket.objects.count() == TicketMail.objects.count() == 2
    assert Ticket.objects.get(booking__pnr=first["pnr"]).number == number
    assert ticket_of(Booking.objects.get(pnr=second["pnr"])).booking_id
    issued = OutboxEvent.objects.filter(kind="ticket.issued")
    assert issued.count() == 2


def test_a_cancelled_booking_has_a_void_ticket(anna: Traveller, book: Book) -> None:
    pnr = book(anna)["pnr"]
    anna.get(f"tickets/{pnr}/")
    anna.post(f"reservations/bookings/{pnr}/cancel/")
    assert anna.get(f"tickets/{pnr}/").json()["validity_status"] == "cancelled"
    while consume_pending():
        pass
    assert Ticket.objects.get().voided_at is not None
    assert OutboxEvent.objects.filter(kind="ticket.voided").count() == 1


def test_a_ticket_is_over_half_a_day_after_the_arrival(
    anna: Traveller, book: Book, departure: Departure
) -> None:
    booking = Booking.objects.get(pnr=book(anna)["pnr"])
    arrives = departure.starts_at + timedelta(hours=10, minutes=-2)
    for late, status in ((timedelta(hours=11), "valid"), (timedelta(hours=12), "expired")):
        with clock.moved(arrives + late - clock.now() + timedelta(seconds=1)):
            assert view_ticket(booking).validity == status


@pytest.mark.parametrize("width", ["a4", "phone"])
def test_the_pdf_is_one_page_of_the_width_asked_for(
    anna: Traveller, book: Book, width: str
) -> None:
    booked = book(anna, "S1-1", passengers=[{"name": HINDI, "age": 31, "gender": "female"}])
    answer = anna.get(f"tickets/{booked['pnr']}.pdf", width=width)
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Cache-Control"] == "private, no-store"
    text = answer.content.decode("latin-1")
    assert text.startswith("%PDF-")
    assert text.count("/Type /Page\n") == 1
    millimetres = float(text.split("/MediaBox [0 0 ")[1].split(" ")[0]) / 72 * 25.4
    assert millimetres == pytest.approx(210 if width == "a4" else 90, abs=0.1)
    assert anna.get(f"tickets/{booked['pnr']}.pdf", width="a3").json()["code"] == "invalid"


def test_six_seats_and_all_parts_fit_a_phones_page(anna: Traveller, book: Book) -> None:
    booked = book(anna, *(f"C1-{n}" for n in range(1, 7)))
    content = anna.get(f"tickets/{booked['pnr']}.pdf", width="phone").content
    assert content.count(b"/Type /Page\n") == 1


def test_devanagari_is_shaped_and_its_conjuncts_are_one_glyph(anna: Traveller, book: Book) -> None:
    """The font's map from glyphs back to letters names joined ones: ksha, and tri with its vowel
    moved before it. Without shaping each letter would have a glyph of its own.
    """
    booked = book(anna, "S1-1", passengers=[{"name": HINDI}])
    content = anna.get(f"tickets/{booked['pnr']}.pdf").content
    maps = [each for each in streams(content) if b"beginbfchar" in each]
    for joined in ("क्ष", "त्रि"):
        letters = joined.encode("utf-16-be").hex().upper().encode()
        assert any(b"<" + letters + b">" in each for each in maps), joined


def streams(content: bytes) -> Iterator[bytes]:
    """The streams of a PDF, as they are before compression."""
    for match in re.finditer(rb"stream\r?\n(.*?)\r?\nendstream", content, re.DOTALL):
        try:
            yield zlib.decompress(match.group(1))
        except zlib.error:
            yield match.group(1)


def test_the_calendar_file_is_read_back(anna: Traveller, book: Book, departure: Departure) -> None:
    pnr = book(anna)["pnr"]
    event = event_in(anna, pnr)
    assert event["dtstart"].dt == departure.starts_at + timedelta(hours=8)
    assert event["status"] == "CONFIRMED"
    anna.post(f"reservations/bookings/{pnr}/cancel/")
    gone = event_in(anna, pnr)
    assert (gone["uid"], gone["status"]) == (event["uid"], "CANCELLED")
    assert gone["sequence"] > event["sequence"]


def event_in(who: Traveller, pnr: str) -> Any:
    (event,) = Calendar.from_ical(who.get(f"tickets/{pnr}.ics").content).walk("VEVENT")
    return event
