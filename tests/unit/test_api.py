import subprocess
import sys

import pytest

import pacbed

FORBIDDEN = {"abtem", "ase", "spglib", "tensorflow", "keras", "tf2onnx", "dask.array"}


def loaded_after(code):
    script = f"{code}\nimport sys\nprint('\\n'.join(sys.modules))"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


def test_importing_the_package_loads_nothing_heavy():
    assert not loaded_after("import pacbed") & {"numpy", "numba", "zarr", "pydantic", *FORBIDDEN}


def test_what_a_prediction_imports_needs_no_simulation_code():
    modules = (
        "analysis.predict",
        "analysis.report.sheet",
        "analysis.report.batch",
        "cli",
        "bundle.reader",
        "evaluation.advice.figure",
    )
    assert not loaded_after("import " + ", ".join(f"pacbed.{module}" for module in modules)) & FORBIDDEN


def test_public_names_are_there_and_others_are_not():
    from pacbed.bundle.reader import load_bundle

    assert pacbed.load_bundle is load_bundle
    assert callable(pacbed.predict)
    assert callable(pacbed.render)
    assert {"load_bundle", "predict", "render"} <= set(dir(pacbed))
    with pytest.raises(AttributeError, match="colour"):
        _ = pacbed.colour
