"""What each reason of a verdict means, and what to do about it; the one table that the result page shows from."""

from __future__ import annotations

from typing import NamedTuple


class Advice(NamedTuple):
    """What a reason is about.

    Attributes
    ----------
    phrase : str
        Words that this reason has and no other, between its figures.
    meaning : str
        What it says of pattern and answer.
    remedy : str
        What to do.
    """

    phrase: str
    meaning: str
    remedy: str


ADOPTED = "That is in the answer and in its error bar."
_TABLE = (
    (
        "no rendered pattern fits",
        "No thickness and tilt of this crystal give such a pattern. The number is worth nothing.",
        "Check crystal, zone axis, voltage and convergence angle. Is the area one thickness, without a second "
        "phase? Was the picture stretched in contrast or stored with colours?",
    ),
    (
        "noise hides the pattern",
        "Nothing but noise is left to judge by.",
        "Average over more unit cells, expose longer, or bin the camera.",
    ),
    (
        "beam energy: the pattern was recorded at",
        "The bundle is for another voltage, at which patterns look different.",
        "Choose the bundle of that voltage; if the file is wrong, correct the voltage and send it again.",
    ),
    (
        "the best rendered pattern fits badly",
        "Something in the picture is not explained by this crystal.",
        "Look at the difference. A smooth rest is inelastic scattering: filter for zero loss, or accept it. "
        "Features mean a wrong thickness or tilt, a bent area, or a thick amorphous layer.",
    ),
    (
        "nm fits nearly as well (misfit",
        "Two thicknesses cannot be told apart from this pattern.",
        "Compare both with the sliders. Record the spot again with another convergence angle or nearer to the "
        "axis; what you know of the foil may decide.",
    ),
    (
        "nm fits nearly as well (",
        "The crystal turned by 180°, or mirrored, fits nearly as well at another thickness.",
        "Say whether the camera mirrors, or tilt off the axis, where the two differ more.",
    ),
    (
        "nm as asked; without that",
        "Started freely, the fit finds another thickness that fits as well or better.",
        "Look at both before you insist.",
    ),
    (
        "lies outside the bundle's range",
        "The answer lies beyond the thicknesses that the bundle was made and tested for.",
        "If the foil may be so thick, a bundle with a larger range is needed.",
    ),
    (
        "every crystal is a flat disk",
        "So thin a crystal gives a pattern without features.",
        "Use another method: PACBED cannot do better here.",
    ),
    (
        "lies beyond the bundle's range",
        "The tilt is larger than the bundle was made and tested for.",
        "Tilt the specimen closer to the zone axis and record again.",
    ),
    (
        "lies outside the trained range",
        "The networks were not trained for this convergence angle; the fit works all the same.",
        "Check the angle. If it is right, a bundle that holds it gives the networks back.",
    ),
    (
        "convergence angle: given",
        "The disk is not as large as the angle given says.",
        "Measure the semi-convergence angle: a disk in vacuum, same condenser settings, calibrated camera length.",
    ),
    (
        "pixel size: given",
        "The pixel size given does not fit the pattern.",
        "Calibrate the camera length, or leave the pixel size empty so that it is found.",
    ),
    (
        "of the disk's pixels, left out of the fit",
        "The brightest pixels are clipped; what is left determines the thickness.",
        "Record again with less exposure if much is missing.",
    ),
    ("pixels left out", "Defects were found and filled from their neighbours.", "See on the sheet whether you agree."),
    ("little of the disk is left", "Most of the disk does not count.", "Record again without what hides the disk."),
    (
        "pixels, too few to show fringes",
        "The disk is too small on the camera.",
        "Use a larger camera length, or bin less.",
    ),
    (
        "mrad by the pixel size given, patterns of this bundle",
        "The bright region has not the size that a disk of this angle has.",
        "Check pixel size and convergence angle. If both are right, something beside the disk is the brightest.",
    ),
    ("the fit rests on", "Too few pixels are left to fit.", "Use a larger camera length."),
    (
        "does not fit, by",
        "One spot of the picture is no part of the crystal's pattern.",
        "Look there: dust, a stray spot or a shadow. Record again without it if you can.",
    ),
    (
        "nm only, of",
        "The pattern says little: the error bar is a large part of the thickness.",
        "Expose longer, or average over more unit cells.",
    ),
    (
        "networks and fit disagree",
        "Two methods see two thicknesses, each sure of its own.",
        "Compare both with the sliders, and look at the picture: stray spots, vacuum or a range of thickness in "
        "the area, and stretched contrast mislead them differently.",
    ),
    (
        "networks alone, and noise is",
        "The networks have answered without a fit, and the picture is too noisy for that.",
        "Ask again with least squares.",
    ),
    (
        "the rendered pattern that fits best near it",
        "The networks have answered without a fit, which would say something else.",
        "Ask again with least squares: the fit tries other thicknesses as well.",
    ),
    (
        "of the bright disk's rim lie outside the frame",
        "Part of the disk is cut off.",
        "Centre the pattern, or use a smaller camera length.",
    ),
    (
        "the scale network did not settle",
        "One network could not find the size of the disk.",
        "Give the pixel size if you know it. With a fit that agrees with the pattern it does not matter.",
    ),
    (
        "the bright region seems",
        "The bright region is wider or narrower than the convergence angle says.",
        "Check the convergence angle. With a fit that agrees with the pattern it does not matter.",
    ),
    (
        "the thickness network is undecided",
        "The network sees several thicknesses; the fit has tried each.",
        "Nothing, if the fit agrees with the pattern.",
    ),
    (
        "asks for vacuum",
        f"Part of the averaged area seems to be empty. {ADOPTED}",
        "Average over an area without holes.",
    ),
    (
        "asks for tilt spread",
        f"The tilt varies over the averaged area: the foil is bent. {ADOPTED}",
        "Average over a smaller area, if the spread is large.",
    ),
    (
        "asks for thickness spread",
        f"The thickness varies over the averaged area. {ADOPTED}",
        "Average over a smaller area, if the spread is large.",
    ),
    (
        "asks for blurred copy",
        f"Part of the electrons arrive smeared: plasmon losses, tails of the camera, an amorphous layer. {ADOPTED}",
        "Filter for zero loss, if you can.",
    ),
    ("asks for shading", f"The picture is brighter towards one side. {ADOPTED}", "Correct the gain of the camera."),
    (
        "asks for gamma",
        f"The picture was made for the eye: its levels are no counts. {ADOPTED}",
        "Send the camera's own file.",
    ),
    ("no networks in this bundle", "The bundle has no networks: nothing else speaks for or against a fit.", "Nothing."),
    (
        "pixels are oblong by",
        "The file states two pixel sizes; their mean was used.",
        "Calibrate the camera, or give the pixel size.",
    ),
    (
        "disks do not overlap",
        "The pattern does not determine its own scale; the thickness is as good as pixel size and angle given.",
        "Make sure of both, or record with a larger convergence angle.",
    ),
    (
        "absolute intensity: the pattern holds",
        "More or less of the beam is in the pattern than a crystal leaves there.",
        "Is the dark level subtracted from both patterns, and the ratio of exposures right? There may be vacuum in "
        "the area.",
    ),
    (
        "of the beam looks like the best match",
        "Only part of the intensity is explained by the crystal.",
        "There may be vacuum or an amorphous layer in the area, or the thickness is wrong.",
    ),
    ("times as strong beside the disk", "The picture was made for the eye: no counts.", "Send the camera's own file."),
    ("overshoots its fit along the disk's rim", "The picture was sharpened.", "Send the camera's own file."),
    ("light in rings about the middle", "Something else shines below the fringes.", "Look for a cleaner place."),
    ("is itself, noise included", "Averaging over a symmetry moves fringes.", "Send the pattern as it was recorded."),
    ("vacuum pattern: its disk", "It has another size than the pattern's.", "Record both with one camera length."),
    (
        "orientation undecided",
        "Polarity or hand of the crystal cannot be told here; the thickness does not depend on it.",
        "Nothing.",
    ),
    ("of neither polarity", "Another crystal without one, or domains of both polarities.", "Check the crystal."),
    ("nm only, as asked", "The fit was started where it was asked to be, and nothing else fits better.", "Nothing."),
    (
        "rendered patterns match badly",
        "Another crystal, a hole, or much more noise than elsewhere.",
        "Ask again with least squares, and look at the sheet.",
    ),
    (
        "where rendered patterns match worse than elsewhere",
        "The networks have answered without a fit, and patterns of their thickness match worse than others.",
        "Ask again with least squares.",
    ),
    (
        "the networks know the thickness to",
        "The networks are not sure.",
        "Average over more positions, or ask again with least squares.",
    ),
)
ADVICE = tuple(Advice(*one) for one in _TABLE)


def advice_for(reason: str) -> Advice:
    """What a reason means; one without words where it is not known, as that of a newer version may be.

    Parameters
    ----------
    reason : str
        A sentence of a result.
    """
    return next((one for one in ADVICE if one.phrase in reason), Advice(reason, "", ""))
