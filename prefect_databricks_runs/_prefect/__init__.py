"""All that is Prefect's.

`compat` has every line that differs between Prefect 2 and 3; `portal` the background loop of the process; `signature`
makes parameters of a `TypedDict`; `logging` finds the logger of a run; `paging` reads all pages of Prefect's API;
`references` reads saved blocks that a deployment refers to; `urls` are Prefect's; `own_faults` logs errors of this
package that must not cost a run.
"""
