"""`unirg evaluate`: a child process, since serving and training share only model/."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Sequence

from app.errors import ConfigError

NEEDED = ("training", "datasets", "matplotlib", "torch", "transformers")


def run_evaluation(arguments: Sequence[str]) -> int:
    """Exit code of `python -m training.evaluate`. Raises ConfigError where the training extra is not installed."""
    lacking = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if lacking:
        message = (
            f"unirg evaluate needs the training extra, and {', '.join(lacking)} cannot be imported here: run "
            "`make setup` in a checkout, or `pip install 'unirg[training]'`."
        )
        raise ConfigError(message)
    return subprocess.run([sys.executable, "-m", "training.evaluate", *arguments], check=False).returncode
