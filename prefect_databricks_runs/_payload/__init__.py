"""A request, from what users give to what is sent.

`build` puts it together and checks it; `checks` finds faults that Databricks would refuse or misread, `spelling` keys
that are probably misspelt; `plain` turns what users give into JSON, `template` is a body whose
`placeholders` of Prefect have no values yet.
"""
