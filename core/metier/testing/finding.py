"""What a check raises where it does not pass."""


class Failure(Exception):  # noqa: N818  (what a check finds is no error of the kit)
    """The plugin does not do what the check wants. The text says what came instead."""


class NotApplicable(Exception):  # noqa: N818
    """The check has nothing to look at in this plugin or model. The text says why."""
