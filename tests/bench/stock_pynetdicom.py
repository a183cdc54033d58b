"""pynetdicom's own SCP with all its contexts: ``python -m tests.bench.stock_pynetdicom PORT``."""

from __future__ import annotations

import sys

from pynetdicom import AE, ALL_TRANSFER_SYNTAXES, AllStoragePresentationContexts
from pynetdicom.sop_class import Verification


def main(port: int) -> None:
    entity = AE("UNIRG")
    for context in AllStoragePresentationContexts:
        entity.add_supported_context(context.abstract_syntax, ALL_TRANSFER_SYNTAXES)
    entity.add_supported_context(Verification)
    entity.start_server(("127.0.0.1", port), block=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
