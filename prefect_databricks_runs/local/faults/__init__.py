"""Faults that tests set."""
