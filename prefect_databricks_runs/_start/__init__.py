"""Starting a run once, and only once.

`starter` starts it, or finds the run of an earlier attempt; `identity` makes the tokens for equal requests of a flow
run; `in_flight` keeps the requests without an answer, in case they are interrupted; `marker` writes the id of the flow
run into the Databricks run; `earlier_attempts` finishes the task runs that an earlier attempt has left; `pause_key` is
what a suspended flow run carries.
"""
