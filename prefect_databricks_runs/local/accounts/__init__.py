"""The accounts of a workspace, and how they sign in."""
