"""Doors of the timetable: parse, call one service, render."""
