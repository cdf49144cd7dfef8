"""Entry point of `python -m tools.reference`."""

from .pages import PAGES, Reference

if __name__ == "__main__":
    reference = Reference()
    for page in PAGES:
        page.write_text(reference.page(page), "utf-8")
