"""Turn a credentials block and options into a hook.

`call` checks a call and has its hook. `saved_blocks` finds credentials by workspace. `fresh_credentials` reads a saved
block again while it is in use.
"""
