"""Write docs/openapi.json, the API's contract, from the routes as they are: `.venv/bin/python -m scripts.openapi`."""

from __future__ import annotations

import json
from pathlib import Path

from app.main import bare_app

PLACE = Path(__file__).resolve().parent.parent / "docs" / "openapi.json"


def text() -> str:
    """The document, in a form whose lines can be compared."""
    return json.dumps(bare_app().openapi(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    PLACE.parent.mkdir(exist_ok=True)
    PLACE.write_text(text(), encoding="utf-8")
    print(f"wrote {PLACE}")
