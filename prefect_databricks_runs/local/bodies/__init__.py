"""Request bodies: their shapes and their rules."""
