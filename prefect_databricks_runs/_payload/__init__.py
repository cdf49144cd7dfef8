"""A request, from what users give to what is sent.

`build` puts it together and checks it; `checks` finds faults that Databricks would refuse or misread, `spelling` keys
that are probably misspelt; `templates` fills the placeholders of Prefect.
"""
