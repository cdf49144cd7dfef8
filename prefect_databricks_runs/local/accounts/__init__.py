"""The accounts of a workspace, and how they sign in.

`accounts` holds `users` with personal tokens, `service_principals` with secrets, the short-lived `oauth_tokens` of
both, and the policies of `federation`. `sign_in` finds out who sent a request; `credentials` reads and compares
secrets. `oauth_pages` has the pages of OAuth, which need no sign-in. Its token endpoint calls `grants`, which accepts
the secret of a service principal, or by `federation` a token of another issuer. `web_tokens` signs JSON web tokens and
reads them.
"""
