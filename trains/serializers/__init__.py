"""Shapes of the timetable's requests and answers; no rule is judged here."""
