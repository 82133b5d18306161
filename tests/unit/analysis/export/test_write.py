import pytest
import yaml

from pacbed.analysis.export.write import Export, export_result
from pacbed.analysis.predict import predict
from pacbed.errors import ParameterError


@pytest.fixture(scope="module")
def result(tiny_bundle, camera):
    return predict(tiny_bundle, camera(thickness_nm=8.0), convergence_mrad=14)


def test_a_snippet_lies_beside_the_result_and_is_named(result, tmp_path):
    said = export_result(result, Export("ptyrad", 2.0), tmp_path / "film")
    read = yaml.safe_load((tmp_path / "film_ptyrad.yaml").read_text(encoding="utf-8"))["init_params"]
    assert read["obj_Nlayer"] == 4
    assert read["obj_Nlayer"] * read["obj_slice_thickness"] / 10 == pytest.approx(result.thickness_nm.value, abs=1e-3)
    tilt = -result.mistilt_y_mrad.value, -result.mistilt_x_mrad.value
    assert read["tilt_params"]["init_tilts"][0] == pytest.approx(tilt, abs=1e-3)
    assert said.startswith("film_ptyrad.yaml for PtyRAD: 4 slices of 2")
    assert f"tilt y {tilt[0]:.2f}, x {tilt[1]:.2f} mrad" in said


def test_nothing_is_overwritten_and_the_same_is_not_written_twice(result, tmp_path):
    mine = tmp_path / "film_phaser.yaml"
    mine.write_text("slices: mine\n")
    for slice_nm, name in ((1.0, "film_phaser_2.yaml"), (1.0, "film_phaser_2.yaml"), (2.0, "film_phaser_3.yaml")):
        assert export_result(result, Export("phaser", slice_nm), tmp_path / "film").startswith(f"{name} for phaser")
    assert mine.read_text() == "slices: mine\n"
    assert len(list(tmp_path.iterdir())) == 3


def test_a_doubtful_result_says_so(result, tmp_path):
    doubtful = result.model_copy(update={"verdict": "doubtful", "reasons": ["thin"]})
    assert export_result(doubtful, Export("phaser"), tmp_path / "film").endswith("; the result is doubtful")
    assert "WARNING: this result is doubtful: thin" in (tmp_path / "film_phaser.yaml").read_text(encoding="utf-8")


def test_a_refused_result_exports_nothing_and_says_so(result, tmp_path):
    refused = result.model_copy(update={"verdict": "refused"})
    assert export_result(refused, Export("ptyrad"), tmp_path / "film") == (
        "nothing exported to PtyRAD: the result is refused"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("program", "slice_nm", "text"), [("abtem", 1.0, "export"), ("phaser", 0.0, "slice_nm")])
def test_what_cannot_be_exported_is_known_before_any_work(program, slice_nm, text):
    with pytest.raises(ParameterError, match=f"^{text}: got"):
        Export(program, slice_nm)
