"""The servers Seatlock brings along, one module each, all with the face of `base.Store`."""
