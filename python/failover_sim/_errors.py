"""What the package raises."""


class FailoverSimError(Exception):
    """Something went wrong. The text is the one that the command line prints."""

    __module__ = "failover_sim"


class InputError(FailoverSimError, ValueError):
    """What was given cannot be used: the text says what is wrong with it, where, and what to write instead.

    It is raised where the command line exits with 2.
    """

    __module__ = "failover_sim"
