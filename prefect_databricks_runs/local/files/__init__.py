"""The files of the workspace.

`paths` finds the file of a path, never outside of the workspace's folder. `workspace_files` reads, writes, lists and
deletes files and notebooks. `temporary` has the workspace's temporary folder, and removes it, and also the folders of
killed workspaces.
"""
