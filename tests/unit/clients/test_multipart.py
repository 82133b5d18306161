"""Forms, read by the library that the service reads them with."""

import io

import pytest
from pacbed_client.multipart import encode_form
from python_multipart import parse_form


def parsed(form):
    """Fields and files as the service sees them."""
    fields, files = {}, {}
    parse_form(
        {"Content-Type": form.content_type.encode(), "Content-Length": str(len(form.body)).encode()},
        io.BytesIO(form.body),
        lambda field: fields.__setitem__(field.field_name.decode(), field.value.decode()),
        lambda file: files.__setitem__(file.field_name.decode(), file),
    )
    return fields, files


@pytest.mark.parametrize("content", [b"", b"\r\n--", bytes(range(256)) * 3, b"--pacbed-\r\n\r\n"])
def test_fields_and_file_arrive_as_they_were(content):
    fields, files = parsed(encode_form({"bundle": "tiny", "crystal": "β-Ga2O3"}, "film µ.npy", content))
    assert fields == {"bundle": "tiny", "crystal": "β-Ga2O3"}
    files["file"].file_object.seek(0)
    assert files["file"].file_object.read() == content
    assert files["file"].file_name.decode() == "film µ.npy"


def test_a_name_cannot_end_its_line():
    form = encode_form({}, 'a"\r\nContent-Type: text/html\r\n\r\nb.npy', b"x")
    assert form.body.count(b"\r\nContent-Type:") == 1
    assert b'filename="a%22%0D%0AContent-Type: text/html%0D%0A%0D%0Ab.npy"' in form.body


def test_no_two_boundaries_are_the_same():
    assert encode_form({}, "a", b"").content_type != encode_form({}, "a", b"").content_type
