"""Faults that tests set.

`faults` finds the fault that happens to a request, and counts; `fault_rules` checks its fields, and `fault_actions`
carries it out, with `waits` that end when the workspace stops. `fault_endpoints` sets faults over HTTP.
"""
