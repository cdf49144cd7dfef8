"""The public API as the code of users sees it: mypy and pyright check these modules, and nothing runs them."""
