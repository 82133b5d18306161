"""Errors of the client: one sentence, printable, and caught as what they are."""

import pytest
from pacbed_client.errors import ClientError, InputError, ServiceError, UnreachableError, bad_value


def test_each_is_the_clients_and_what_python_calls_it():
    assert issubclass(InputError, (ClientError, ValueError))
    assert issubclass(UnreachableError, ClientError) and issubclass(UnreachableError, OSError)


def test_a_bad_value_is_named_with_what_is_accepted():
    assert str(bad_value("axis", "x", "0,0,1")) == "axis: got 'x', accepted: 0,0,1"
    assert len(str(bad_value("axis", "x" * 500, "0,0,1"))) < 120


@pytest.mark.parametrize("error", [ServiceError(422, "a\nb\x1b[2J"), InputError("a\nb\x1b[2J")])
def test_what_a_terminal_would_obey_is_replaced(error):
    assert str(error).endswith("a?b?[2J")


def test_the_status_is_kept():
    assert ServiceError(422, "no pattern").status == 422
    assert str(ServiceError(422, "no pattern")) == "the service answers 422: no pattern"
