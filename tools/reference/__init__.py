"""Write the pages of docs/reference from the docstrings and the commands: `python -m tools.reference`.

In a page, the objects between `<!-- reference: ## Run RunTask -->` and `<!-- its end -->` are written below headings of
that level. `jobs.JobTask(value)` has only this method, and `RunState()` has none. All commands are written between
`<!-- commands: ## -->` and `<!-- its end -->`. The rest of a page is written by hand. The text is plain Markdown, so a
page reads the same on the site and in the repository.

The source is read and not imported, except for the commands, so both lines of Prefect write the same pages.
"""
