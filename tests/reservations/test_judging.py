"""What a check found is judged only when it stands: other things are merely on their way."""

from reservations.invariants.judging import Check, Look, Scope, judge

MEANWHILE = Scope(patience_seconds=0.0)


def test_only_what_stays_wrong_is_told() -> None:
    looks = iter([{"a": None, "b": None}, {"a": None, "c": None}, {"a": None}])
    check = Check(name="n", about="", look=lambda _: Look(seen=2, wrong=next(looks, {"a": None})))
    assert judge(check, MEANWHILE).wrong == ("a",)


def test_it_looks_again_only_where_something_was_wrong() -> None:
    scopes: list[Scope] = []

    def look(scope: Scope) -> Look:
        scopes.append(scope)
        return Look(seen=1, wrong={"a": 7})

    judge(Check(name="n", about="", look=look), MEANWHILE)
    assert [scope.departures for scope in scopes] == [None, (7,)]
