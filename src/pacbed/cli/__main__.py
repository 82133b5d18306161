"""``python -m pacbed.cli`` is ``pacbed``."""

from pacbed.cli import main

if __name__ == "__main__":  # worker processes of the service import this module as well
    main()
