"""Faults that a test asks for."""
