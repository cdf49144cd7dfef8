"""Waiting for runs."""
