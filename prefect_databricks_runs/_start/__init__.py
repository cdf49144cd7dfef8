"""Starting a run once, and only once."""
