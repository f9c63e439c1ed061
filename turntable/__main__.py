"""``python -m turntable``: the command line, for launchers that start modules."""

from turntable.cli import main

if __name__ == "__main__":
    main()
