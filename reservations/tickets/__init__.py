"""Tickets: what a booking becomes in a traveller's hand. The core works without this app."""
