"""What travellers look at before they lock: search, one departure, its seat map."""
