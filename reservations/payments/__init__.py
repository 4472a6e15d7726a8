"""Payments: money for a hold. The core works without this app."""
