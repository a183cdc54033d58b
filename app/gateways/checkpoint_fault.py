"""A checkpoint that cannot be used: readers hear what it means for them, the log names the file."""

from __future__ import annotations

import logging

from app.errors import ModelUnavailable
from model.manifest import BadCheckpoint

log = logging.getLogger(__name__)


def unavailable(name: str, error: BadCheckpoint) -> ModelUnavailable:
    """The error to raise from `error`, whose message, with its paths, goes to the log alone."""
    log.error("checkpoint_unusable", extra={"checkpoint": name, "reason": str(error)})
    return ModelUnavailable(
        f"The model {name} cannot draft here: {error.why}. Read this study by hand; an administrator finds the file "
        "in the log, or with `unirg doctor`."
    )
