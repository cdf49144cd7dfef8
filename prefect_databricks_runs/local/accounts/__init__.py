"""The accounts of a workspace, and how they sign in.

`accounts` puts them together: `users` with personal tokens, `service_principals` with secrets, and the short-lived
`oauth_tokens` of both. `sign_in` finds who a request is from, by the `credentials` in it. `oauth_pages` are the pages
without sign-in; the token endpoint among them issues a token for one of the `grants`, or by `federation` for a token of
another issuer, which `web_tokens` makes and reads.
"""
