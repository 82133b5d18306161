"""``python -m pacbed.cli`` is ``pacbed``."""

from pacbed.cli import main

main()
