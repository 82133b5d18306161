"""Every error a user can cause; each has the project's base and the natural builtin, so `except ValueError` works."""


class PacbedError(Exception):
    """Base of every error this package raises on purpose; its text is one line that a user can act on."""


class ConfigError(PacbedError, ValueError):
    """A configuration file is missing, cannot be read, or holds a value that is not accepted."""


class StructureError(PacbedError, ValueError):
    """A crystal structure (CIF file) cannot be read, or cannot be used for a simulation."""


class SimulationError(PacbedError, ValueError):
    """A simulation is not accurate enough for its purpose, or cannot be set up."""


class FormatError(PacbedError, ValueError):
    """A table, stack, bundle or result is truncated, of another kind, or written by a newer version."""


class PatternError(PacbedError, ValueError):
    """An experimental pattern cannot be read, or cannot be used.

    Names and texts of a file become part of the message, which goes to a terminal: what is not printable, such as line
    breaks and the commands that terminals obey, is replaced.
    """

    def __init__(self, text: str) -> None:
        super().__init__("".join(letter if letter.isprintable() else "?" for letter in text))


class ParameterError(PacbedError, ValueError):
    """An argument of a public function is outside what is accepted."""


def bad_value(argument: str, value: object, accepted: str) -> ParameterError:
    """Build the error for a bad argument: its name, the value got and what is accepted.

    Parameters
    ----------
    argument : str
        Name of the argument, as the caller wrote it.
    value : object
        The value got.
    accepted : str
        What would have been accepted, such as "a number from 20 to 1000 [keV]".

    Returns
    -------
    ParameterError
        To be raised by the caller: ``raise bad_value("thickness_nm", -1, "a number above 0 [nm]")``.
    """
    text = repr(value)
    shown = text if len(text) <= 80 else f"{text[:37]}...{text[-40:]}"  # a long path ends with what matters
    return ParameterError(f"{argument}: got {shown}, accepted: {accepted}")
