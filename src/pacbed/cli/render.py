"""`pacbed render`: one simulated pattern."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pacbed.cli.arguments import DONE, BundlePath, number, whole_number


def render(
    bundle: BundlePath,
    thickness_nm: Annotated[
        float, typer.Option(parser=number, metavar="NUMBER", help="crystal thickness [nm]", show_default=False)
    ],
    convergence_mrad: Annotated[
        float, typer.Option(parser=number, metavar="NUMBER", help="semi-convergence angle [mrad]", show_default=False)
    ],
    out: Annotated[Path, typer.Option(help="file to write: .npy, .tif or .png", show_default=False)],
    mistilt_mrad: Annotated[float, typer.Option(parser=number, metavar="NUMBER", help="mistilt [mrad]")] = 0.0,
    azimuth_deg: Annotated[
        float,
        typer.Option(parser=number, metavar="NUMBER", help="direction of the mistilt from the crystal's x axis [deg]"),
    ] = 0.0,
    pixels: Annotated[
        int | None, typer.Option(parser=whole_number, metavar="NUMBER", help="edge of the image; default: the stack's")
    ] = None,
    max_angle_mrad: Annotated[
        float | None, typer.Option(parser=number, metavar="NUMBER", help="half width [mrad]; default: the stack's")
    ] = None,
) -> int:
    """Render one pattern: .npy and .tif hold fractions of the beam per pixel, .png 16-bit levels of its maximum."""
    from pacbed.analysis.render import render as render_pattern
    from pacbed.analysis.report.image_file import write_image

    image = render_pattern(
        bundle,
        thickness_nm=thickness_nm,
        convergence_mrad=convergence_mrad,
        mistilt_mrad=mistilt_mrad,
        azimuth_deg=azimuth_deg,
        pixels=pixels,
        max_angle_mrad=max_angle_mrad,
    )
    write_image(image, out)
    print(
        f"{out}: {image.shape[1]} x {image.shape[0]} pixels, {100 * image.sum():.1f} % of the beam in the field of view"
    )
    return DONE
