"""The endpoints of the API, and their answers."""
