"""The version, where any module can read it without other imports."""

__version__ = "0.1.0"
