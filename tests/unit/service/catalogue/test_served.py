"""Names and directions by which a bundle is asked for."""

import pytest

from pacbed.bundle.archive import Archive
from pacbed.bundle.pretrained.names import shipped_bundles
from pacbed.service.catalogue.served import Served, lowest_terms, plain_name


def shipped(name):
    path = shipped_bundles()[name]
    return Served(name, path, (1, 1), "ready", "", name[0] * 64, Archive(path).meta)


@pytest.mark.parametrize(
    ("indices", "same"),
    [((0, 0, 1), (0, 0, 1)), ((0, 0, -4), (0, 0, 1)), ((2, -4, 6), (1, -2, 3)), ((-1, 1, 0), (1, -1, 0)),
     ((1, 1, -2, 0), (1, 1, -2, 0)), ((0, 0, 0), ()), ((1.0, 0, 0), ()), ("001", ()), ((), ())],
)  # fmt: skip
def test_directions_up_to_sign_and_common_factor(indices, same):
    assert lowest_terms(indices) == same


def test_names_without_case_and_marks():
    assert plain_name(" Strontium-Titanate_") == "strontiumtitanate" == plain_name("STRONTIUM TITANATE")
    assert plain_name("Å多") == plain_name("å多") != ""


@pytest.mark.parametrize(
    ("bundle", "names"),
    [("rutile_80kv", ["Rutile", "TiO2", "rutile_80kv"]), ("srtio3_200kv", ["Strontium Titanate", "SrTiO3", "SRTIO3"]),
     ("si110_200kv", ["silicon", "Si"]), ("au110_200kv", ["Gold", "au"])],
)  # fmt: skip
def test_names_of_what_ships(bundle, names):
    assert {plain_name(name) for name in names} <= shipped(bundle).names
    assert plain_name("Beryl") not in shipped(bundle).names


def test_aliases_of_a_bundle_count():
    one = shipped("rutile_80kv")
    meta = one.meta.model_copy(update={"crystal": {**one.meta.crystal, "aliases": ["Titania R"]}})
    assert plain_name("titania r") in Served("x", one.path, (1, 1), meta=meta).names


def test_a_line_for_a_list():
    assert shipped("rutile_80kv").line() == "rutile_80kv: TiO2 [0 0 1] 80 kV"
    assert Served("x", shipped("rutile_80kv").path, (1, 1), "refused", "damaged").line() == "x (damaged)"
