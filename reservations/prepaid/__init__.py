"""Waitlist entries paid in advance: where payments and the waitlist, each of which may be left out,
meet. It is there if both are.
"""
