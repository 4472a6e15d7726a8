"""The gateways money comes through, behind one port (`port.py`)."""
