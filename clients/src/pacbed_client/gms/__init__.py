"""The look-up inside Gatan's GMS: everything but the dialog, which is written in DM-Script.

DM-Script calls `run` with the module ``DigitalMicrograph``; what it asks and what comes back are persistent tags below
``PACBED``. Written after what public scripts show of GMS 3.4 and later, tested against a stand-in that behaves so, and
not run in GMS.
"""

from pacbed_client.gms.calls import run

__all__ = ["run"]
