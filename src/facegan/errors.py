"""The error that a user can mend."""


class InputError(ValueError):
    """Bad input: one line that says what is wrong, with what, and what to do.

    The command line prints the message without a traceback and exits with status 2.
    """
