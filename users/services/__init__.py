"""What may be done with accounts, a verb a file; the names others call."""

from users.services.demo_accounts import ensure_demo_accounts
from users.services.restore_marks import ensure_marks, restore_ended_marks

__all__ = ["ensure_demo_accounts", "ensure_marks", "restore_ended_marks"]
