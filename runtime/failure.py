"""What goes wrong with the machine rather than with a tenant's file."""


class RuntimeFailure(Exception):
    """The system did not do its part; the text tells the operator where, what was found and what was expected."""
