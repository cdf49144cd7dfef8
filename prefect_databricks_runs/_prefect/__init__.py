"""The access of all rooms to Prefect, and everything that depends on its release.

`compat` has every line that differs between Prefect 2 and 3. `portal` has the background loop of the process.
`signature` turns a `TypedDict` into parameters, and `docstrings` writes their `Args:`; `empty_fields` lets fields of a
form stay empty on Prefect 3. `logging` finds the logger of a run. `paging` reads all pages of Prefect's API.
`references` reads saved blocks that a deployment refers to. `urls` takes the login out of a URL of Prefect, and says
that its API did not answer. `own_faults` logs errors of this package that must not affect a run.
"""
