"""Starting a run once, and only once.

`starter` starts it, or finds that of an earlier attempt; `identity` gives equal requests of a flow run their tokens;
`in_flight` has the requests that are not answered yet, for when they are interrupted; `marker` writes into the run who
asked for it; `earlier_attempts` puts right what an earlier attempt has drawn.
"""
