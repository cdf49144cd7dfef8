"""Runs and their tasks, from start to end.

`engine` has all active runs, `store` the jobs and runs as `records`, and `states` the states that they have. `course`
starts the tasks of one run in their order, `attempts` has the attempts at one of them, and `works` the kinds of work:
`simulation`, `composed` (of other tasks, or of none), and `workshop`, which really runs the task in a `child_process`
with its `environment`, and reads its `outcome`. `references` resolves `{{...}}` in parameters, and
`repair` picks the tasks that a repair runs again.
"""
