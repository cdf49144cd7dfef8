"""Runs and their tasks, from start to end.

`engine` has all active runs. `store` keeps jobs and runs as `records`, and `states` is the table of their states.
`course` starts or skips the tasks of one run in their order, and ends the run. `attempts` makes the attempts at one
task or iteration. `works` begins the work: a `simulation`; `composed` work (condition, for-each, run-job); or
`workshop`, which really runs notebooks and Python files in a `child_process` with its `environment`, and reads the
`outcome`. Other types of task fail unless they are simulated. `references` resolves `{{...}}` in the strings of a task,
and `repair` picks the tasks that a repair runs again.
"""
