"""``python -m tinyflow``."""

import sys

from tinyflow.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
