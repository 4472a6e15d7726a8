"""PNRs: the name a booking has among people. Ten characters that do not look alike."""

import secrets
from typing import Final

# No 0/O, 1/I/L, 2/Z, 5/S, 8/B: a PNR is read aloud and typed from paper.
ALPHABET: Final = "34679ACDEFGHJKMNPQRTUVWXY"
LENGTH: Final = 10
_HOW_MANY: Final = len(ALPHABET) ** LENGTH


def new_pnr() -> str:
    """A random PNR: 25^10 of them, so one in use already is a once-in-years event, tried again."""
    number = secrets.randbelow(_HOW_MANY)  # drawn once: ten draws cost five times as much
    letters = []
    for _ in range(LENGTH):
        number, letter = divmod(number, len(ALPHABET))
        letters.append(ALPHABET[letter])
    return "".join(letters)
