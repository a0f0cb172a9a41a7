"""Run the command line as ``python -m crystalgauge``."""

from crystalgauge.cli import main

if __name__ == "__main__":
    main()
