"""A stand-in for the module DigitalMicrograph, as strict as public scripts show the real one to be.

Tags are read as (found, value), and a missing one gives a value that must not be used. Texts that are not ASCII come
back as bytes, and units may be bytes. Shapes are those of NumPy, sizes the other way round. Arrays are views of what is
shown. Images are made of contiguous arrays alone; those that nobody shows are gone. A tag group that was kept in a
variable cannot be used a second time.
"""

from __future__ import annotations

import types

import numpy as np


class TagGroup:
    """Tags by their paths."""

    def __init__(self, tags, once=False):
        self._tags, self._once, self._used = tags, once, False

    def _use(self):
        if self._once and self._used:
            raise RuntimeError("the tag group is not valid")
        self._used = True

    def GetTagAsString(self, path):
        """A text, as bytes where it is not ASCII."""
        self._use()
        value = self._tags.get(path)
        if not isinstance(value, str):
            return False, ""
        return True, value if value.isascii() else value.encode("cp1252", "replace")

    def SetTagAsString(self, path, value):
        """Write a text."""
        self._use()
        assert type(value) is str and value.isascii()
        self._tags[path] = value

    def GetTagAsFloat(self, path):
        """A number, in 32 bits."""
        self._use()
        value = self._tags.get(path)
        if isinstance(value, str) or value is None:
            return False, -431602080.0  # what was in memory
        return True, float(np.float32(value))

    def SetTagAsFloat(self, path, value):
        """Write a number."""
        self._use()
        assert type(value) is float
        self._tags[path] = float(np.float32(value))


class Image:
    """An image."""

    def __init__(self, dm, array, name="Image"):
        self._dm, self.array, self.name, self.tags = dm, array, name, {}
        self.calibration = [(0.0, 1.0, ""), (0.0, 1.0, "")]
        dm.numbers += 1
        self.number = dm.numbers

    def GetID(self):
        """Its number."""
        return self.number

    def GetName(self):
        """Its name."""
        return self.name

    def SetName(self, name):
        """Call it something else."""
        assert type(name) is str
        self.name = name

    def GetNumArray(self):
        """A view of its counts."""
        return self.array

    def GetTagGroup(self):
        """Its tags."""
        return TagGroup(self.tags)

    def GetDimensionSize(self, axis):
        """Pixels along x (0) or y (1)."""
        return self.array.shape[::-1][axis]

    def GetDimensionCalibration(self, axis, form):
        """Origin, scale and unit along x (0) or y (1)."""
        assert form == 0
        return self.calibration[axis]

    def ShowImage(self):
        """Open a window."""
        self._dm.shown.append(self)


class DigitalMicrograph(types.ModuleType):
    """The module."""

    def __init__(self, **tags):
        super().__init__("DigitalMicrograph")
        self.tags, self.shown, self.numbers = dict(tags), [], 0

    def open(self, array, name="film", **more):
        """What an operator does: an image comes to the front."""
        image = Image(self, array, name)
        for key, value in more.items():
            setattr(image, key, value)
        image.ShowImage()
        return image

    def GetPersistentTagGroup(self):
        """The tags that GMS keeps."""
        return TagGroup(self.tags, once=True)

    def GetFrontImage(self):
        """The image of the uppermost window."""
        if not self.shown:
            raise RuntimeError("No image is displayed")
        return self.shown[-1]

    def FindImageByID(self, number):
        """The image of a number."""
        assert type(number) is int
        return next((one for one in self.shown if one.number == number), None)

    def CreateImage(self, array):
        """An image of a contiguous array."""
        if not array.flags.c_contiguous or not array.flags.owndata or array.ndim != 2 or array.dtype.kind not in "iuf":
            raise ValueError("the array is not supported")
        return Image(self, array)
