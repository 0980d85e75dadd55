"""Placeholder while its page is written."""
