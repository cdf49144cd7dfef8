"""The wire: one request to a Databricks workspace, and its answer.

`session` sends a request in its turn (`pace`) over the shared `connections`, signed (`signing`; `tokens` if they
expire). `bodies` reads the answer, up to a size limit. `secrets` removes the secrets from the answer, and `wire_logs`
from the logs of httpx. `answers` returns the JSON or raises the right error. `retries` says which errors are worth
retrying. `requests` repeats requests and reads lists page by page, and `saved_jobs` has those about saved jobs; the
hook is made of both. `hosts` reads addresses, and `http` has the options of every client.
"""
