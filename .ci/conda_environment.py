"""Print `environment.yml`: Python from conda, and through pip the very versions that `uv.lock` names."""

import os
import subprocess

EVERYWHERE = "(sys_platform == 'darwin' or sys_platform == 'linux' or sys_platform == 'win32')"
HEADER = """\
# Written by `make environment.yml` from uv.lock; a test keeps it in step. For conda users:
#   conda env create && conda activate pacbed
#   snakemake --cores all --configfile config/demo.yaml
name: pacbed
channels:
  - conda-forge
dependencies:
  - python>=3.11,<3.13
  - pip
  - pip:
      - -e .[workflow]
"""


def pinned_packages() -> list[str]:
    """One requirement line per package of the extra `workflow`, as the lock pins it."""
    command = [
        *(os.environ.get("UV", "uv"), "export", "--quiet", "--frozen", "--extra", "workflow"),
        *("--no-emit-project", "--no-hashes", "--no-header", "--no-annotate"),
    ]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    # The lock's three platforms are all there are: naming them on every line says nothing.
    short = text.replace(f" ; {EVERYWHERE[1:-1]}", "").replace(f" and {EVERYWHERE}", "")
    return short.splitlines()


def environment_text() -> str:
    """The whole file."""
    return HEADER + "".join(f'      - "{line}"\n' for line in pinned_packages())


if __name__ == "__main__":
    print(environment_text(), end="")
