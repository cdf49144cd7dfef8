"""Waiting without a process: what the flow run that waits does.

`suspended_wait` is a wait that suspends its flow run and ends the process; `obstacles` says why that cannot be, or not
yet; `numbers` counts the waits for the same runs; `watcher_pages` finds the watchers (the command `watch`) in Prefect,
one of which is to resume the flow run.
"""
