"""What the dialog calls: list the bundles, read the front image, find the thickness."""

from __future__ import annotations

import traceback
from typing import Any

from pacbed_client.asking import lookup
from pacbed_client.errors import ClientError
from pacbed_client.gms.front import counts_of, read_front_image
from pacbed_client.gms.show import answer_lines, put_sheet
from pacbed_client.gms.tags import Tags, number, plain
from pacbed_client.result import LookupResult
from pacbed_client.service import HERE, Service, service_of

DONE, FAILED = "done", "failed"
TIMEOUT_S, PATIENCE_S = 60.0, 20.0  # GMS stands still meanwhile
DIGITS = 6
NUMBERS = ("voltage_kv", "convergence_mrad", "pixel_mrad")
NEEDED = {
    "image:id": "image: got none, accepted: a pattern; read the front image first",
    "asked:bundle": "crystal: got none, accepted: one of the list",
    "asked:voltage_kv": "voltage: got none, accepted: the acceleration voltage [kV], such as 200",
    "asked:convergence_mrad": "convergence: got none, accepted: the semi-convergence angle [mrad], such as 20",
}


def run(dm: Any) -> None:
    """Do what the tag ``call`` names, and write ``answer:state``: "done", or "failed" with ``answer:error``.

    Parameters
    ----------
    dm : module
        DigitalMicrograph.
    """
    tags = Tags(dm)
    tags.put("answer:state", FAILED)
    tags.put("answer:error", "the call was not finished")
    try:
        call = CALLS.get(tags.get("call"))
        if call is None:
            raise ClientError(f"call: got {tags.get('call')!r}, accepted: {', '.join(CALLS)}")
        call(dm, tags)
    except ClientError as error:
        _fail(tags, str(error))
    except Exception as error:  # an exception would end the dialog, with a trace that says nothing to its user
        print(traceback.format_exc())
        _fail(tags, f"the client is at fault ({type(error).__name__}: {error}); the results window has more")
    else:
        tags.put("answer:error", "")
        tags.put("answer:state", DONE)


def list_bundles(dm: Any, tags: Tags) -> None:
    """Write names and labels of the bundles that are ready.

    Raises
    ------
    ClientError
        The service does not answer, or has none.
    """
    ready = [one for one in _service(tags).bundles() if one.get("state") == "ready"]
    if not ready:
        raise ClientError("bundle: got none that is ready, accepted: a service with a bundle; ask again in a minute")
    ready.sort(key=_label)
    tags.put("image:id", "")  # of a session before, where another image had this number
    tags.put("bundles:count", len(ready))
    for place, one in enumerate(ready, start=1):
        tags.put(f"bundles:name {place}", one["name"])
        tags.put(f"bundles:label {place}", _label(one))


def read_image(dm: Any, tags: Tags) -> None:
    """Write what the front image is, and what it says of the microscope; empty where it is silent.

    Raises
    ------
    ClientError
        It is no pattern.
    """
    front = read_front_image(dm)
    numbers = {
        "voltage_kv": front.energy_kev,
        "convergence_mrad": front.convergence_mrad,
        "pixel_mrad": front.pixel_mrad,
    }
    for name, value in numbers.items():
        tags.put(f"image:{name}", "" if value is None else f"{value:.{DIGITS}g}")
    missing = [name for name, value in numbers.items() if value is None]
    tags.put("image:id", front.identity)
    tags.put("image:name", front.name)
    tags.put("image:label", f"{front.name}, {front.shape[1]} x {front.shape[0]} pixels")
    tags.put("image:note", f"not in its tags: {', '.join(missing)}" if missing else "")


def look_up(dm: Any, tags: Tags) -> None:
    """Send the image that was read, with what the dialog holds, and show thickness, verdict and sheet.

    Raises
    ------
    ClientError
        Something is missing or not accepted, or the service does not answer.
    """
    for name, missing in NEEDED.items():
        if not tags.get(name):
            raise ClientError(missing)
    found = _find(dm, tags)
    print(plain(str(found)))
    for place, line in enumerate(answer_lines(found), start=1):
        tags.put(f"answer:line {place}", line)
    tags.put("answer:title", f"PACBED of {found.name}")
    put_sheet(dm, tags, found)


def _find(dm: Any, tags: Tags) -> LookupResult:
    voltage, convergence, pixel = (number(name, tags.get(f"asked:{name}")) for name in NUMBERS)
    name, bundle = tags.get("image:name"), tags.get("asked:bundle")
    counts = counts_of(dm, int(tags.get("image:id")), name)
    asked: dict[str, Any] = {"energy_kev": voltage, "convergence_mrad": convergence, "pixel_mrad": pixel}
    return lookup(counts, _service(tags), name=name or "image", bundle=bundle, **asked)


def _service(tags: Tags) -> Service:
    ca_file = tags.get("setup:ca_file") or None
    return service_of(tags.get("setup:service") or HERE, timeout_s=TIMEOUT_S, patience_s=PATIENCE_S, ca_file=ca_file)


def _label(bundle: dict[str, Any]) -> str:
    crystal = bundle.get("crystal") or {}
    formula = crystal.get("formula") or bundle["name"]
    axis = " ".join(str(one) for one in bundle.get("zone_axis") or ())
    low, high = bundle.get("convergence_mrad") or (0, 0)
    return f"{formula} [{axis}] {bundle.get('energy_kev') or 0:g} kV, {low:g}-{high:g} mrad ({bundle['name']})"


def _fail(tags: Tags, text: str) -> None:
    print(plain(text))
    tags.put("answer:error", text)
    tags.put("answer:state", FAILED)


CALLS = {"list bundles": list_bundles, "read image": read_image, "look up": look_up}
