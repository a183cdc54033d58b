"""Both stacks beside a PACS: the embedded default, and PostgreSQL + Redis + vLLM as processes."""

from __future__ import annotations

import pytest

from tests.e2e.stack import Peer, Stack
from tests.peers.orthanc import Modality
from tests.peers.vllm import API_KEY


@pytest.fixture
def pacs_peer(orthanc):
    return Peer("pacs", orthanc.ae_title, orthanc.port, ("send", "query_retrieve", "results"))


@pytest.fixture(params=["embedded", "servers"])
def stack(request, tmp_path, orthanc, pacs_peer):
    if request.param == "embedded":
        running = Stack(tmp_path, f"sqlite:///{tmp_path}/record.db", peers=[pacs_peer])
    else:
        vllm = request.getfixturevalue("nano_server")
        running = Stack(
            tmp_path,
            request.getfixturevalue("postgres_url"),
            request.getfixturevalue("redis_url"),
            peers=[pacs_peer],
            model=f'backend = "vllm"\nurl = "{vllm.url}"\napi_key = "{API_KEY}"\ndeadline_seconds = 120',
        )
    orthanc.know(Modality("UNIRG", running.dicom_port))
    try:
        running.start()
        yield running
    except (AssertionError, TimeoutError) as failure:
        raise AssertionError(f"{failure}\n{running.logs()}") from failure
    finally:
        running.stop()
