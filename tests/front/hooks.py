"""What schemathesis loads beside its own checks (SCHEMATHESIS_HOOKS)."""

import re
from typing import Any, Final

import schemathesis
from schemathesis.core.failures import Failure

# What a schema cannot say, field by field: names that must be known, values that must agree with
# each other or with what is there. A 400 that names another field refused what we described.
BY_MEANING: Final = {
    # names and e-mails in use, passwords that are weak or not repeated, letters of user names
    "register": r"username|email|password|password2",
    "change_profile": r"email",
    "logout": r"refresh",
    "change_password": r"old_password|new_password",
    # stations the train does not stop at, or in the wrong order; seats it does not have
    "search_departures": r"source|destination",
    "show_seats": r"source|destination",
    "lock_seats": r"source|destination|seats(\.\d+)?|travel_class|count|passengers",
    "confirm_hold": r"passengers(\..*)?|capability",
    "cancel_booking": r"seats(\..*)?",
    "quote_cancellation": r"seats(\..*)?",
    "staff_cancel_booking": r"seats(\..*)?|refund",
    "change_booking": r"seats(\..*)?|instead_of(\..*)?|source|destination|travel_class|provider",
    "book_group": r"source|destination|seats(\.\d+)?|travel_class|count|passengers",
    # a hold or an entry, one of the two, and what may be named with it
    "start_payment": r"hold|entry|provider|passengers(\..*)?",
    # a code that was mailed; an account that is there
    "claim_guest": r"code",
    "make_api_key": r"account",
    # addresses that lead inside; accounts that are there; moments without a zone
    "register_webhook": r"url|account",
    "change_webhook": r"url",
    "replay_failed_deliveries": r"since",
    "block_seats": r"seats(\..*)?",
    "plan_reseating": r"coaches(\..*)?",
    "unblock_seats": r"seats(\..*)?",
    # codes in use; names of time zones
    "stations_create": r"code|timezone",
    # places where another seat stands
    "vehicles_create": r"code|layout(\..*)?",
    "vehicles_partial_update": r"layout(\..*)?",
    "vehicles_partial_update_by_body": r"layout(\..*)?",
    # one of two forms; times in order, stations that are known, limits in sum
    "trains_create": r"number|source|destination|capacity|distance_km|departs_at|runs_on(\..*)?"
    r"|duration_minutes|stops(\..*)?|coaches(\..*)?",
    "trains_partial_update": r"source|destination|capacity|distance_km|departs_at|runs_on(\..*)?"
    r"|duration_minutes|stops(\..*)?|coaches(\..*)?|number|mode|travel_class",
    # trains that are known, days that lie ahead, no more decimals than described
    "departures_create": r"train|service_date|fare_factor|sale_opens_at",
    "departures_partial_update": r"fare_factor|sale_opens_at|train|service_date",
    # days on which nobody alive was born
    "save_traveller": r"birth_date",
    "change_traveller": r"birth_date",
    # at least one of three; an end that is not before its beginning
    "audit": r"body",
    "statistics": r"until",
}
# Said once, for all calls (config/http/about_the_api.md): blanks alone are no text, and a whole
# number is written without a point (JSON Schema calls 7.0 an integer) and has 64 bits.
SAID_ONCE: Final = re.compile(
    r"may not be blank|number is too large|Expected `int( \| null)?`, got `float`"
    r"|valid integer is required"
)


class RefusedAsDescribed(Failure):
    """Something the description allows was refused for its form."""


@schemathesis.check
def refuses_by_meaning_only(ctx: Any, response: Any, case: Any) -> None:
    """Fail on a 400 to a request made as described, unless its fields have a meaning."""
    del ctx
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    if response.status_code != 400:
        return
    operation = case.operation.definition.raw["operationId"]
    known = re.compile(BY_MEANING.get(operation, r"(?!)"))
    unforeseen = {
        name: messages
        for name, messages in response.json().get("errors", {"": ["no errors told"]}).items()
        if not known.fullmatch(name) and not SAID_ONCE.search(" ".join(messages))
    }
    if unforeseen:
        raise RefusedAsDescribed(
            operation=case.operation.label, message=f"Refused for its form: {unforeseen}"
        )
