"""A ticket on paper (A4) or on a phone's screen, with text that is shaped.

Noto Sans and Noto Sans Devanagari come from packages (OFL); HarfBuzz joins letters as the script
asks, so that names in Devanagari are set right. A letter that neither font has is left out.
"""

import io
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

import fontpkg_noto_sans
import fontpkg_noto_sans_devanagari
from fpdf import FPDF, XPos, YPos

from reservations.tickets.page import Place, TicketView, Validity
from reservations.tickets.qr import qr_png

LATIN: Final = fontpkg_noto_sans.ROOT / "files" / "NotoSans[wdth,wght].ttf"
DEVANAGARI: Final = (
    fontpkg_noto_sans_devanagari.ROOT / "files" / "NotoSansDevanagari[wdth,wght].ttf"
)
Width = Literal["a4", "phone"]
_GREY: Final = (110, 110, 110)
_BLACK: Final = (0, 0, 0)
_RED: Final = (170, 0, 0)


@dataclass(frozen=True)
class _Sheet:
    """Sizes in mm; `height` of a phone's sheet is as long as what is on it."""

    width: float
    margin: float
    qr: float
    title_size: float = 16
    text_size: float = 10

    @property
    def inner(self) -> float:
        return self.width - 2 * self.margin


_SHEETS: Final[dict[Width, _Sheet]] = {
    "a4": _Sheet(width=210, margin=18, qr=52),
    "phone": _Sheet(width=90, margin=6, qr=60, title_size=13, text_size=8.5),
}
_A4_HEIGHT: Final = 297.0
_PHONE_FIXED: Final = 150.0
_LINE: Final = 6.5


def ticket_pdf(ticket: TicketView, *, width: Width = "a4") -> bytes:
    """The ticket as a PDF of one or more pages."""
    sheet = _SHEETS[width]
    lines = len(ticket.seats) + len(ticket.fare_parts)
    height = _A4_HEIGHT if width == "a4" else _PHONE_FIXED + lines * _LINE * 2
    pdf = _blank(sheet, height)
    pdf.set_title(f"Ticket {ticket.pnr}")
    _head(pdf, sheet, ticket)
    _code(pdf, sheet, ticket, beside=width == "a4")
    _journey(pdf, sheet, ticket)
    _people(pdf, sheet, ticket)
    _fare(pdf, sheet, ticket)
    return bytes(pdf.output())


def _blank(sheet: _Sheet, height: float) -> FPDF:
    pdf = FPDF(unit="mm", format=(sheet.width, height))
    pdf.set_margin(sheet.margin)
    pdf.set_auto_page_break(True, margin=sheet.margin)
    pdf.add_font("latin", fname=LATIN)
    pdf.add_font("devanagari", fname=DEVANAGARI)
    pdf.set_font("latin", size=sheet.text_size)
    pdf.set_fallback_fonts(["devanagari"])
    pdf.set_text_shaping(True)
    pdf.add_page()
    return pdf


def _line(
    pdf: FPDF, text: str, *, size: float, colour: tuple[int, int, int] = _BLACK, width: float = 0
) -> None:
    pdf.set_font("latin", size=size)
    pdf.set_text_color(*colour)
    pdf.multi_cell(width, size * 0.52, text, new_x=XPos.LMARGIN, new_y=YPos.NEXT, align="L")


def _head(pdf: FPDF, sheet: _Sheet, ticket: TicketView) -> None:
    room = sheet.inner - sheet.qr if sheet.width > 100 else 0
    name = f"{ticket.train_number}  {ticket.train_name}"
    _line(pdf, name, size=sheet.title_size, width=room)
    _line(pdf, "PNR", size=sheet.text_size, colour=_GREY)
    _line(pdf, ticket.pnr, size=sheet.title_size + 6)
    number = f"Ticket {ticket.number}-{ticket.serial}"
    _line(pdf, number, size=sheet.text_size, colour=_GREY)
    if ticket.validity is not Validity.VALID:
        said = ticket.validity.value.upper()
        _line(pdf, said, size=sheet.title_size + 4, colour=_RED)
    pdf.ln(3)


def _code(pdf: FPDF, sheet: _Sheet, ticket: TicketView, *, beside: bool) -> None:
    """The QR code: at the right of the heading, or below it."""
    image = io.BytesIO(qr_png(ticket.token))
    if beside:
        pdf.image(image, x=sheet.width - sheet.margin - sheet.qr, y=sheet.margin - 4, w=sheet.qr)
        pdf.set_y(max(pdf.get_y(), sheet.margin + sheet.qr))
        return
    pdf.image(image, x=(sheet.width - sheet.qr) / 2, y=pdf.get_y(), w=sheet.qr)
    pdf.set_y(pdf.get_y() + sheet.qr + 2)


def _journey(pdf: FPDF, sheet: _Sheet, ticket: TicketView) -> None:
    for what, place in (("From", ticket.source), ("To", ticket.destination)):
        _line(pdf, what, size=sheet.text_size, colour=_GREY)
        _line(pdf, f"{place.name} ({place.code})", size=sheet.title_size)
        _line(pdf, _told(place), size=sheet.text_size + 1)
        pdf.ln(2)


def _told(place: Place) -> str:
    return f"{_clock(place.local)} local time ({place.local.tzname()})"


def _clock(moment: datetime) -> str:
    return moment.strftime("%a %d %b %Y, %H:%M")


def _people(pdf: FPDF, sheet: _Sheet, ticket: TicketView) -> None:
    rows = [("Seat", "Class", "Passenger")]
    people = zip(ticket.seats, ticket.travel_classes, ticket.passengers, strict=True)
    rows += [(seat, travel_class, _named(person)) for seat, travel_class, person in people]
    _table(pdf, sheet, rows, widths=(22, 16, 62))


def _named(person: dict[str, object] | None) -> str:
    if not person:
        return "-"
    return ", ".join(str(person[key]) for key in ("name", "age", "gender") if key in person)


def _fare(pdf: FPDF, sheet: _Sheet, ticket: TicketView) -> None:
    rows = [("Fare", ticket.currency)]
    rows += [(part, str(amount)) for part, amount in ticket.fare_parts.items()]
    rows += [("total", str(ticket.fare))]
    pdf.ln(3)
    _table(pdf, sheet, rows, widths=(70, 30), last_right=True)


def _table(
    pdf: FPDF,
    sheet: _Sheet,
    rows: Iterable[tuple[str, ...]],
    *,
    widths: tuple[int, ...],
    last_right: bool = False,
) -> None:
    pdf.set_font("latin", size=sheet.text_size)
    pdf.set_text_color(*_BLACK)
    aligned = ["LEFT"] * (len(widths) - 1) + ["RIGHT" if last_right else "LEFT"]
    with pdf.table(
        width=sheet.inner,
        col_widths=widths,
        text_align=tuple(aligned),
        line_height=sheet.text_size * 0.58,
        borders_layout="HORIZONTAL_LINES",
        first_row_as_headings=False,
    ) as table:
        for row in rows:
            table.row(row)
