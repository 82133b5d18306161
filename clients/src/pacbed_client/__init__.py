"""Asks a pacbed look-up service for the thickness of a specimen.

    import pacbed_client
    print(pacbed_client.lookup("film.npy", "url.txt", bundle="srtio3_200kv", convergence_mrad=13.7))

`lookup` answers one pattern, `map_patterns` hundreds, `Service` says where the service is and how long to wait.
"""

from pacbed_client.asking import lookup
from pacbed_client.errors import ClientError, InputError, ServiceError, UnreachableError
from pacbed_client.result import Candidate, LookupResult
from pacbed_client.series import Entry, map_patterns
from pacbed_client.service import Service

__all__ = [
    "lookup",
    "map_patterns",
    "Service",
    "LookupResult",
    "Candidate",
    "Entry",
    "ClientError",
    "InputError",
    "ServiceError",
    "UnreachableError",
]
__version__ = "0.1.0"
