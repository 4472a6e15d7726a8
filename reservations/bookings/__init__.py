"""Bookings: what is sold for good, in PostgreSQL."""
