"""What a person can do something about."""


class StackError(Exception):
    """The stack cannot do what was asked; the message is one line that says why and what to do."""
