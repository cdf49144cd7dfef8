"""HTTP: from a socket to a request, and from an answer to a socket.

`server` has a thread and a loop for it, with `certificates` for https; `connection` is the connection of one client.
`routes` finds the endpoint of a request, `calls` is the request as the endpoint takes it and its answer, and `errors`
the answers that are errors. `request_body` and `multipart` read bodies, `paging` has the pages of a list, and
`addresses` finds the address by which a client came, also through the workspace as a proxy. `request_log` keeps the
newest requests for tests, without credentials. Tests select requests and set faults by `patterns`.
"""
