"""Request bodies: what they may have, and whether it makes sense."""
