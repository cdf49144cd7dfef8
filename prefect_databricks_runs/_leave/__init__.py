"""What becomes of runs when a wait ends early.

`leaving` decides on that, and cancels; `signals` tells which signal is behind an interruption.
"""
