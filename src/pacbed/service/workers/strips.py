"""A bundle's strip: patterns of some thicknesses, rendered once and kept by the bundle's hash."""

from __future__ import annotations

import io
import secrets
import shutil
from collections import defaultdict
from contextlib import suppress
from pathlib import Path

import anyio
import imageio.v3 as iio
import numpy as np

from pacbed.analysis.render import render
from pacbed.bundle.meta import Ranges
from pacbed.errors import FormatError
from pacbed.service.workers.open_bundles import opened
from pacbed.service.workers.pool import Pool

COUNT, PIXELS = 8, 112
FIELD = 1.35  # half width of a picture, in semi-convergence angles: PACBED shows in the disk
WHOLE_NM = 16.0  # from this range on thicknesses are whole
FOLDER = "strips"


def strip_thicknesses(trained: Ranges) -> list[float]:
    """Thicknesses of a strip [nm], ascending, the last one the largest that was trained."""
    low, high = trained.thickness_nm
    steps = [high * step / COUNT for step in range(1, COUNT + 1)]
    return [max(low, float(round(step, 0 if high >= WHOLE_NM else 1))) for step in steps]


def strip_angle_mrad(trained: Ranges) -> float:
    """Semi-convergence angle of a strip [mrad]: the middle."""
    return sum(trained.convergence_mrad) / 2


def draw_strip(bundle: Path, sha256: str, folder: Path) -> None:
    """Render the patterns of a bundle's strip into a folder: ``0.png``, ``1.png``, ..., 8 bits each.

    Raises
    ------
    FormatError
        The file holds another bundle by now.
    """
    one = opened(bundle)
    if one.sha256 != sha256:
        raise FormatError(f"bundle: {bundle.name} was replaced a moment ago, accepted: the same question again")
    angle = strip_angle_mrad(one.meta.trained)
    half = min(FIELD * angle, one.renderer.field_mrad)
    folder.mkdir(parents=True)
    for number, thickness in enumerate(strip_thicknesses(one.meta.trained)):
        image = render(one, thickness_nm=thickness, convergence_mrad=angle, pixels=PIXELS, max_angle_mrad=half)
        (folder / f"{number}.png").write_bytes(_grey(image))


def _grey(image: np.ndarray) -> bytes:
    """Levels from nothing to the maximum as the bytes of a PNG."""
    levels = np.rint(255 * np.clip(image, 0, None) / max(float(image.max()), np.finfo(float).tiny))
    stream = io.BytesIO()
    iio.imwrite(stream, levels.astype(np.uint8), extension=".png")
    return stream.getvalue()


class Strips:
    """The strips of all bundles.

    Parameters
    ----------
    pool : Pool
    home : path
        They lie below it.
    """

    def __init__(self, pool: Pool, home: Path) -> None:
        self._pool, self._folder = pool, home / FOLDER
        self._being_made: defaultdict[str, anyio.Lock] = defaultdict(anyio.Lock)

    async def picture(self, bundle: Path, sha256: str, number: int, owner: str) -> Path:
        """The file of one pattern; the first who asks waits until all are rendered.

        Parameters
        ----------
        bundle : path
        sha256 : str
            Its hash.
        number : int
            Below `COUNT`.
        owner : str
            Whose turn at the workers it is.

        Raises
        ------
        ServiceError
            503, 504: as for `Pool.call`.
        """
        folder = self._place(sha256)
        async with self._being_made[sha256]:  # a page asks for all of them at the same time
            if not folder.is_dir():
                await self._make(bundle, sha256, owner)
        return folder / f"{number}.png"

    def _place(self, sha256: str) -> Path:
        return self._folder / sha256

    async def _make(self, bundle: Path, sha256: str, owner: str) -> None:
        folder, aside = self._place(sha256), self._folder / f".{secrets.token_hex(8)}"
        try:
            await self._pool.call(owner, draw_strip, bundle, sha256, aside)
            with suppress(OSError):  # another server with the same home may have been first
                aside.rename(folder)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
