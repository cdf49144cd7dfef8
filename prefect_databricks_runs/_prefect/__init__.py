"""Everything that depends on Prefect.

`compat` has every line that differs between Prefect 2 and 3. `portal` has the background loop of the process.
`signature` turns a `TypedDict` into parameters, and `docstrings` writes their `Args:`; `empty_fields` lets fields of a
form stay empty. `logging` finds the logger of a run. `paging` reads all pages of Prefect's API. `references` reads
saved blocks that a deployment refers to. `urls` has Prefect's URLs. `own_faults` logs errors of this package that must
not affect a run.
"""
