"""What becomes of runs when a wait ends early.

`verdict` decides, by one table; `leaving` does it, and cancels; `signals` says which signal is behind an interruption;
`started_here` knows the runs that this process has started.
"""
