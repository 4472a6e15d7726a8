"""Outbound webhooks: partners are told what became of bookings. The core works without this app."""
