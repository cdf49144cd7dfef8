"""Waiting for runs.

`doors` has the two entry points, for sync and for async flows; `one_run` and `many_runs` are the two kinds of wait.
`watch` decides when a run is read and notices its changes; `run_reader` reads many runs with one request, using the
lists of `run_lists`, and keeps a `watched` for each wait; `outages` logs failing polls; `outputs` reads why attempts
failed.
"""
