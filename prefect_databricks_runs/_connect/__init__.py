"""From a credentials block and options to a hook."""
