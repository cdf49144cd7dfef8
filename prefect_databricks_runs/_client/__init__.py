"""The wire: one request to a Databricks workspace, and its answer.

`session` sends a request in its turn (`pace`) over the `connections` that all share, signed (`signing`; `tokens` has
those that end); `bodies` takes the answer in, up to a size; `secrets` takes out of it what was signed in with, and
`wire_logs` out of the logs of httpx; `answers` reads it, or makes the right error of it; `retries` says which errors
are worth another try; `hosts` reads addresses, and `http` has the options of every client.
"""
