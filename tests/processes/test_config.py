"""Configuration: one file, the environment above it, and clear words for every mistake."""

from __future__ import annotations

import re

import pytest

from app.bootstrap.tls_files import readable
from app.config import load
from app.errors import ConfigError

PEER = "[[dicom.peers]]\nname='pacs'\nae_title='A'\nhost='h'\nport=104\n"
FILES = "[dicom.tls]\ncertificate='c.pem'\nkey='k.pem'\n"


def write(folder, text):
    path = folder / "unirg.toml"
    path.write_text(text)
    return path


def test_the_defaults_are_the_embedded_service():
    settings = load()
    assert settings.broker.url.get_secret_value() == "memory://"
    assert settings.database.url.get_secret_value().startswith("sqlite:///")
    assert (settings.dicom.ae_title, settings.dicom.port, settings.completeness.quiet_seconds) == ("UNIRG", 11112, 60)


def test_the_contract_of_keys(tmp_path):
    path = write(
        tmp_path,
        """
        [http]
        host = "127.0.0.1"
        port = 1
        [dicom]
        ae_title = "X"
        host = "127.0.0.1"
        port = 2
        max_pdu = 16384
        max_associations = 3
        [[dicom.peers]]
        name = "pacs"
        ae_title = "PACS"
        host = "pacs.example"
        port = 104
        roles = ["send", "query_retrieve", "results"]
        retrieve = "move"
        [database]
        url = "postgresql+psycopg://u@h/d"
        [broker]
        url = "redis://h"
        [storage]
        path = "/data"
        [completeness]
        quiet_seconds = 5
        [priors]
        lookback_days = 10
        max_priors = 2
        [model]
        backend = "vllm"
        checkpoint = "unirg-cxr-8b"
        url = "http://gpu:8000"
        """,
    )
    settings = load(path)
    assert settings.dicom.peers[0].retrieve == "move"
    assert settings.model.checkpoint == "unirg-cxr-8b"


def test_the_environment_is_above_the_file(tmp_path, monkeypatch):
    monkeypatch.setenv("UNIRG_DICOM__PORT", "4000")
    path = write(tmp_path, '[dicom]\nport = 3\nae_title = "FILE"\n')
    settings = load(path)
    assert (settings.dicom.port, settings.dicom.ae_title) == (4000, "FILE")


def test_secrets_come_from_files_and_do_not_show(tmp_path):
    secret = tmp_path / "url"
    secret.write_text("postgresql+psycopg://u:hidden@h/d\n")
    settings = load(write(tmp_path, f'[database]\nurl = {{ file = "{secret}" }}\n'))
    assert settings.database.url.get_secret_value().endswith("@h/d")
    assert "hidden" not in repr(settings)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[dicom]\nprot = 1\n", "dicom.prot: unknown key"),
        ("[dicmo]\nport = 1\n", "dicmo: unknown key"),
        ("[dicom]\nport = 99999\n", "dicom.port"),
        ("[[dicom.peers]]\nname='a'\nae_title='A'\nhost='h'\nport=1\nroles=['sned']\n", "dicom.peers.0.roles.0"),
        ("[dicom]\nae_title = 'SEVENTEEN LETTERS'\n", "dicom.ae_title"),
        ("[dicom\n", "not valid TOML"),
        ("[database]\nurl = { file = '/nowhere' }\n", "cannot be read"),
        (PEER + "tls=true\n", "peer pacs has tls = true, but no certificate of ours to show it: add [dicom.tls]"),
        (FILES + PEER + "tls_name='pacs.example'\n", "peer pacs has tls_name, but is called without TLS: set tls"),
        (FILES + PEER + f"certificate_sha256='{'ab' * 32}'\n", "no caller is asked for a certificate: give dicom.tls"),
        (FILES + PEER + "certificate_sha256='ab'\n", "dicom.peers.0.certificate_sha256"),
        (FILES + "crl='r.pem'\n", "dicom.tls: crl revokes nothing without the authority that signed it; add ca"),
        ("[dicom.tls]\ncertificate='c.pem'\n", "dicom.tls.key"),
    ],
)
def test_a_mistake_is_named(tmp_path, text, words):
    with pytest.raises(ConfigError, match=re.escape(words)):
        load(write(tmp_path, text))


def test_an_unknown_variable_is_named(monkeypatch):
    monkeypatch.setenv("UNIRG_DIOCM__PORT", "1")
    with pytest.raises(ConfigError, match="UNIRG_DIOCM__PORT"):
        load()


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigError, match="There is no configuration file"):
        load(tmp_path / "none.toml")


@pytest.mark.parametrize("key", ["certificate", "key", "ca", "crl"])
def test_a_tls_file_that_cannot_be_read_is_named_with_its_key(tmp_path, key):
    for name in {"certificate", "key", "ca", "crl"} - {key}:
        (tmp_path / name).touch()
    lines = "\n".join(f"{name} = '{tmp_path / name}'" for name in ("certificate", "key", "ca", "crl"))
    settings = load(write(tmp_path, f"[dicom.tls]\n{lines}\n"))
    with pytest.raises(ConfigError, match=rf"dicom\.tls\.{key} names .*No such file.*correct the path"):
        readable(settings.dicom.tls)
