"""From a credentials block and options to a hook.

`call` checks a call and has its hook; `saved_blocks` finds credentials by the workspace; `fresh_credentials` reads a
saved block again while it is in use.
"""
