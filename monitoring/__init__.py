"""Bedside monitoring of free flaps: record, judge, alert, audit."""

__version__ = "0.1.0"
