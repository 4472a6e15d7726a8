"""The doors of payments: travellers, gateways, staff, and the sandbox's page."""
