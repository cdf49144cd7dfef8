"""The wire: one request to a Databricks workspace, and its answer.

`session` sends a request, signed and in its turn, which `pace` gives; `secrets` takes out of the answer what was signed
in with, and `wire_logs` out of the logs of httpx; `answers` reads it, or makes the right error of it; `retries` says
which errors are worth another try; `http` has the options of every client.
"""
