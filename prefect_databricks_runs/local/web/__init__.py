"""HTTP: from a socket to a request, and from an answer to a socket."""
