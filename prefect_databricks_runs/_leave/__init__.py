"""Decide what happens to runs when a wait ends early.

`verdict` decides, by one table. `leaving` cancels the run or logs that it keeps running. `signals` finds the signal
behind an interruption. `started_here` knows the runs that this process has started or found again and not read yet,
and `suspended_here` knows the flow runs that this process has suspended.
"""
