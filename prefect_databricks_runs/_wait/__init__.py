"""Waiting for runs.

`doors` are the two ways in, for plain flows and for async ones; `one_run` and `many_runs` are what is waited for.
`watch` decides when a run is read and notices its changes; `run_reader` reads many with one request, by the lists of
`run_lists`, for each wait a `watched`; `outages` logs polls that fail; `outputs` reads why attempts failed.
"""
