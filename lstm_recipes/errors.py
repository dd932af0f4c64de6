"""The one error that a user can mend."""


class UserError(ValueError):
    """Something that the user gave is wrong, and the message says how to mend it.

    The message is one sentence: what was received, what was expected, how to fix it.
    The command line prints it without a traceback and ends with status 1.

    >>> raise UserError("notes.txt is empty; give a text of at least 1,000 characters")
    Traceback (most recent call last):
        ...
    lstm_recipes.errors.UserError: notes.txt is empty; give a text of at least 1,000 characters
    """

    status = 1
    """With which the command line ends."""


class WorkerLost(UserError):
    """One of several processes that train together is gone; started again, all go on."""

    status = 75  # "temporary failure" in sysexits.h; the launcher starts all again


def first_line(error: Exception) -> str:
    """What an error of somebody else's says, in a line that fits into a sentence of ours.

    >>> first_line(ValueError("no zip file\\nat byte 0")), first_line(EOFError())
    ('no zip file', 'EOFError')
    """
    return (str(error) or type(error).__name__).splitlines()[0]
