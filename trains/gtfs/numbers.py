"""The codes and numbers under which the things of a feed are sold.

A code is made of ASCII letters, digits and `. _ -`, so that it can be typed and fits a URL;
accents are dropped and anything else becomes `-`. It is namespaced (`caltrain:101`) only when
somebody outside the feed has it already, and gets a suffix (`101-2`) when something else of the
same feed has it.
"""

import hashlib
import re
import unicodedata
from collections.abc import Collection, Iterable
from itertools import count
from typing import Final

CODE_LENGTH_MAX: Final = 40
_UNFIT: Final = re.compile(r"[^A-Za-z0-9._-]+")
_SUFFIX_ROOM: Final = 6
_HASH_LENGTH: Final = 6
_FEED_LENGTH: Final = 15


def plain_code(text: str, *, length_max: int = CODE_LENGTH_MAX - _SUFFIX_ROOM) -> str:
    """`text` as a code. One that is too long, or has nothing to type, ends in a hash of itself."""
    letters = unicodedata.normalize("NFKD", text)
    bare = "".join(letter for letter in letters if not unicodedata.combining(letter))
    fit = _UNFIT.sub("-", bare).strip("-._")
    if fit and len(fit) <= length_max:
        return fit
    digest = hashlib.sha256(text.encode()).hexdigest()[:_HASH_LENGTH]
    stem = fit[: length_max - _HASH_LENGTH - 1].rstrip("-._")
    return f"{stem}-{digest}" if stem else f"x{digest}"


def clock_suffix(seconds: int) -> str:
    """A time of the service day as digits: `0615`, `2510`, with seconds only if there are any."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}{minutes:02}" + (f"{rest:02}" if rest else "")


class CodeBook:
    """Gives each new thing of one feed a code that nothing else has. Case makes no difference.

    `own` are the codes the feed has in the database, `foreign` all others there; `plain` the
    codes the feed's things would like best, which no suffix may take from them.
    """

    def __init__(
        self, feed_code: str, *, own: Iterable[str], foreign: Iterable[str], plain: Iterable[str]
    ) -> None:
        self._feed_code = feed_code
        self._foreign = {code.casefold() for code in foreign}
        self._taken = {code.casefold() for code in own} | self._foreign
        self._plain = {code.casefold() for code in plain}

    def give(self, text: str) -> str:
        wanted = plain_code(text)
        if wanted.casefold() in self._foreign:
            short = plain_code(text, length_max=CODE_LENGTH_MAX - _SUFFIX_ROOM - _FEED_LENGTH - 1)
            wanted = f"{self._feed_code[:_FEED_LENGTH]}:{short}"
        code = _first_free(wanted, self._taken, self._plain)
        self._taken.add(code.casefold())
        return code


def _first_free(wanted: str, taken: Collection[str], plain: Collection[str]) -> str:
    if wanted.casefold() not in taken:
        return wanted
    suffixed = (f"{wanted}-{number}" for number in count(2))
    return next(
        code for code in suffixed if code.casefold() not in taken and code.casefold() not in plain
    )
