"""For any test: what must be true of the engine's data is true."""

from reservations.invariants.checks import check_engine
from reservations.invariants.judging import Scope


def assert_invariants(
    *departures: int, at_rest: bool = False, patience_seconds: float = 1.0
) -> None:
    """Fail with the words of every check that is not good; all departures unless some are named."""
    scope = Scope(departures=departures or None, at_rest=at_rest, patience_seconds=patience_seconds)
    bad = [result for result in check_engine(scope) if not result.is_good]
    assert not bad, [(each.name, each.wrong or each.unanswered) for each in bad]
