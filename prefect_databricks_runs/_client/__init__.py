"""The wire: one request to a Databricks workspace, and its answer.

`session` sends a request, signed and in its turn, which `pace` gives; `answers` reads what comes back, or makes the
right error of it; `retries` says which errors are worth another try; `http` has the options of every client.
"""
