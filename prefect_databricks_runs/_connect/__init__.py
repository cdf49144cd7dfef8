"""From a credentials block and options to a hook.

`calls` checks a call and makes its hook; `saved_blocks` finds credentials by the workspace; `fresh_credentials` reads a
saved block again while it is in use.
"""
