"""Faults that tests set.

`faults` keeps the faults, finds the fault for a request, and counts requests. `fault_rules` checks the fields of a
fault, `fault_actions` carries it out, and `waits` holds requests until the workspace stops. `fault_endpoints` sets,
lists and removes faults over HTTP.
"""
