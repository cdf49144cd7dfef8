"""Runs and their tasks, from the start to the end."""
