"""The waitlist: who found too few seats waits for them. The core works without this app."""
