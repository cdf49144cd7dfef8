"""Runs and their tasks, from start to end."""
