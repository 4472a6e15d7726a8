"""How accounts speak to whoever keeps things for them, without knowing who that is."""

from collections.abc import Callable, Sequence

Heir = Callable[[Sequence[int], int], list[str]]

_heirs: list[Heir] = []


def register_heir(heir: Heir) -> None:
    """Let `heir` make over what these accounts (ids) own to another account (id).

    It runs in the transaction of the claim and answers what it moved, by names that a fact may
    carry (PNRs). Registering twice is once.
    """
    if heir not in _heirs:
        _heirs.append(heir)


def make_over(owners: Sequence[int], account: int) -> list[str]:
    """Everything of these accounts is that account's from now on. Call it in a transaction."""
    return [name for heir in _heirs for name in heir(owners, account)]
