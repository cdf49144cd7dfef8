"""The files of the workspace.

`paths` finds the file of a path, never outside of the workspace's folder; `workspace_files` knows what is at a path,
and keeps notebooks; `temporary` has the workspace's temporary folder, and removes it.
"""
