"""`python -m pilothouse.cli` is `pilothouse`."""

import sys

from pilothouse.cli import main

sys.exit(main())
