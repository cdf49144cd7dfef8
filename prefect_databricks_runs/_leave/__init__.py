"""What becomes of runs when a wait ends early."""
