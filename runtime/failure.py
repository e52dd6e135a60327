"""Failures of the machine, as opposed to errors in a tenant's file."""


class RuntimeFailure(Exception):
    """The system did not do its part; the text gives the operator the place, what was found and what was expected."""
