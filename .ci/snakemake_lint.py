"""Run `snakemake --lint` and report every finding but one: uv or conda provide the environment, not each rule."""

import subprocess
import sys

NOT_WANTED = "Specify a conda environment or container for each rule."


def findings(text: str) -> list[str]:
    """Lines "rule: finding" of the linter's text, without the one finding that is not wanted."""
    kept, place = [], ""
    for line in text.splitlines():
        if line.startswith("Lints for "):
            place = line.removeprefix("Lints for ").rstrip(":")
        elif line.startswith("    * ") and NOT_WANTED not in line:
            kept.append(f"{place}: {line.removeprefix('    * ')}")
    return kept


def main() -> int:
    """Exit status 1 for any other finding, or for a Snakefile that cannot be read."""
    command = [sys.executable, "-m", "snakemake", "--lint", "--configfile", *sys.argv[1:]]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    text = run.stdout + run.stderr
    kept = findings(text)
    readable = run.returncode == 0 or "Lints for " in text
    if readable:
        print("\n".join(kept) or "snakemake --lint: nothing but the conda finding")
    else:
        print(text, file=sys.stderr)
    return int(bool(kept) or not readable)


if __name__ == "__main__":
    sys.exit(main())
