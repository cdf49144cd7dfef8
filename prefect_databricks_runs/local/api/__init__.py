"""The endpoints, and what they answer."""
