"""Settings: one TOML file plus `UNIRG_` environment variables (nested with `__`). Unknown keys are refused.

Read by the bootstrap and the processes only; everything else is handed what it needs.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from app.domain.reading import ReadingMode
from app.errors import ConfigError

DATA_DIR = Path("var")
AE_TITLE = r"^[\x21-\x5b\x5d-\x7e]([\x20-\x5b\x5d-\x7e]{0,14}[\x21-\x5b\x5d-\x7e])?$"  # PS3.5 6.2: AE
SHA256 = r"^(([0-9A-Fa-f]{2}:?){31}[0-9A-Fa-f]{2})?$"
NANO = "unirg-cxr-nano"


class Section(BaseModel):
    """Frozen, and strict about its keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class HttpSettings(Section):
    """Where the API and the review page listen."""

    host: str = "127.0.0.1"
    port: int = Field(8080, ge=0, le=65535)
    cookie_secure: bool = False
    """Set where TLS ends in front of the service: the session cookie then travels over HTTPS alone."""
    session_minutes: int = Field(720, ge=1)
    idle_minutes: int = Field(15, ge=1)


class PeerSettings(Section):
    """A DICOM application entity that we know."""

    name: str
    ae_title: str = Field(pattern=AE_TITLE)
    host: str
    port: int = Field(ge=1, le=65535)
    roles: tuple[Literal["send", "query_retrieve", "results"], ...] = ()
    retrieve: Literal["get", "move"] = "get"
    tls: bool = False
    """We call it over DICOM TLS, with the files of [dicom.tls]."""
    tls_name: str = ""
    """The name or address in its certificate, where that is not `host`."""
    certificate_sha256: str = Field("", pattern=SHA256)
    """The certificate that it must show when it calls us: SHA-256 of its DER form, hexadecimal, colons allowed."""


class TlsSettings(Section):
    """DICOM TLS (PS3.15 B.12), PEM files: what we show to both sides, and whose certificates we believe.

    ca: of those who call us, who must then show a certificate, and of those whom we call (without it: the system's
    authorities). crl: revocation lists, one for each authority in `ca`.
    """

    certificate: Path
    key: Path
    ca: Path | None = None
    crl: Path | None = None
    incoming: bool = True
    """Our receiver takes TLS only; false where TLS is for the peers that we call, and callers come without."""

    @model_validator(mode="after")
    def _revocation_has_an_authority(self) -> Self:
        if self.crl and not self.ca:
            message = "crl revokes nothing without the authority that signed it; add ca, or remove crl"
            raise ValueError(message)
        return self


class DicomSettings(Section):
    """Our application entity and its peers."""

    ae_title: str = Field("UNIRG", pattern=AE_TITLE)
    host: str = "127.0.0.1"
    port: int = Field(11112, ge=0, le=65535)
    max_pdu: int = Field(131072, ge=4096, le=1 << 20)
    """Bytes."""
    max_associations: int = Field(50, ge=1)
    max_object_bytes: int = Field(1 << 30, ge=1 << 16)
    processes: int = Field(1, ge=1, le=16)
    accept_unknown: bool = False
    """Take objects from callers that are not among the peers (a closed test network only)."""
    timeout_seconds: float = Field(30.0, gt=0)
    """For each answer of a peer that we call."""
    tls: TlsSettings | None = None
    peers: tuple[PeerSettings, ...] = ()

    @model_validator(mode="after")
    def _peers_have_their_tls(self) -> Self:
        wrong = [words for peer in self.peers if (words := self._tls_fault(peer))]
        if wrong:
            raise ValueError("; ".join(wrong))
        return self

    def _tls_fault(self, peer: PeerSettings) -> str:
        """What its TLS keys ask for and the rest does not give, and what to do; "" where they agree."""
        asks = self.tls is not None and self.tls.incoming and self.tls.ca is not None
        if peer.tls and self.tls is None:
            return f"peer {peer.name} has tls = true, but no certificate of ours to show it: add [dicom.tls]"
        if peer.tls_name and not peer.tls:
            return f"peer {peer.name} has tls_name, but is called without TLS: set tls = true, or remove tls_name"
        if peer.certificate_sha256 and not asks:
            words = "but no caller is asked for a certificate: give dicom.tls.ca, with dicom.tls.incoming"
            return f"peer {peer.name} has certificate_sha256, {words}"
        return ""


class DatabaseSettings(Section):
    """sqlite:///… or postgresql+psycopg://…"""

    url: SecretStr = SecretStr(f"sqlite:///{DATA_DIR}/unirg.db")


class BrokerSettings(Section):
    """memory:// (all in one process group) or redis://…"""

    url: SecretStr = SecretStr("memory://")


class StorageSettings(Section):
    """The object store's folder; refuse new images under `min_free_ratio`."""

    path: Path = DATA_DIR / "objects"
    min_free_ratio: float = Field(0.02, ge=0, lt=1)


class CompletenessSettings(Section):
    """A study is complete when no image came for so long."""

    quiet_seconds: float = Field(60.0, ge=0)


class PriorsSettings(Section):
    """How far back, and how many relevant earlier studies are looked at."""

    lookback_days: int = Field(3650, ge=1)
    max_priors: int = Field(5, ge=1, le=50)


class ModelSettings(Section):
    """Which checkpoint drafts, and where it runs."""

    backend: Literal["transformers", "vllm"] = "transformers"
    checkpoint: str = NANO
    """A name under model/checkpoints or the path of a folder with manifest.toml."""
    weights: Path | None = None
    """The folder with the weights, where they do not lie beside the manifest (the public 8B checkpoint)."""
    url: str = "http://127.0.0.1:8000"
    api_key: SecretStr | None = None
    deadline_seconds: float = Field(60.0, gt=0)


class DraftingSettings(Section):
    """Which studies may be drafted; assume_chest: where no header element names a body part.

    evidence: after the draft, look for the part of the film that each positive sentence hangs on, where the backend can
    (transformers); about 1 CPU second a draft with the nano checkpoint, spent while no draft waits.
    """

    minimum_age_years: float = Field(18.0, ge=0)
    assume_chest: bool = False
    evidence: bool = True


class ReviewSettings(Section):
    """How drafts are read. sites: exceptions, by the AE title of the peer that sends the images.

    dictation: the page may use the microphone, for a browser that recognises speech on the reader's own computer.
    critical_minutes: within how long of a critical finding somebody is to be told; then it is overdue.
    """

    mode: ReadingMode = ReadingMode.DRAFT_FIRST
    dictation: bool = False
    critical_minutes: int = Field(60, ge=1, le=10_080)
    sites: dict[Annotated[str, Field(pattern=AE_TITLE)], ReadingMode] = {}


class DeliverySettings(Section):
    """What the signed report says of us; organization: Verifying Organization (0040,A027)."""

    organization: str = Field("Not stated", min_length=1, max_length=64)


class FeedbackSettings(Section):
    """opted_out: AE titles, institutions and issuers of patient IDs whose reports never leave in an export."""

    opted_out: tuple[str, ...] = ()


class LogSettings(Section):
    """How much is logged, and for whom."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["json", "console"] = "json"


class MetricsSettings(Section):
    """Ports of the processes that have no HTTP of their own; 0: any free one, None: off."""

    host: str = "127.0.0.1"
    receiver_port: int | None = None
    relay_port: int | None = None
    worker_port: int | None = None


class Settings(BaseSettings):
    """All of it."""

    model_config = SettingsConfigDict(
        env_prefix="UNIRG_", env_nested_delimiter="__", frozen=True, extra="forbid", secrets_dir=None
    )

    http: HttpSettings = HttpSettings()
    dicom: DicomSettings = DicomSettings()
    database: DatabaseSettings = DatabaseSettings()
    broker: BrokerSettings = BrokerSettings()
    storage: StorageSettings = StorageSettings()
    completeness: CompletenessSettings = CompletenessSettings()
    priors: PriorsSettings = PriorsSettings()
    model: ModelSettings = ModelSettings()
    drafting: DraftingSettings = DraftingSettings()
    review: ReviewSettings = ReviewSettings()
    delivery: DeliverySettings = DeliverySettings()
    feedback: FeedbackSettings = FeedbackSettings()
    log: LogSettings = LogSettings()
    metrics: MetricsSettings = MetricsSettings()

    @model_validator(mode="after")
    def _sites_are_peers(self) -> Self:
        """A misspelt exception would silently be none."""
        strangers = sorted(set(self.review.sites) - {peer.ae_title for peer in self.dicom.peers})
        if strangers and not self.dicom.accept_unknown:
            message = f"review.sites names {', '.join(strangers)}, which no peer has as its ae_title"
            raise ValueError(message)
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - pydantic-settings calls with all five
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file (which arrives as init values)."""
        return env_settings, init_settings


OUTSIDE = frozenset({"UNIRG_TEST_DATA", "UNIRG_REQUIRE_PEERS", "UNIRG_CONFIG"})
"""Variables with our prefix that are no settings."""


def load(path: Path | None = None) -> Settings:
    """Settings from `path` (or $UNIRG_CONFIG) and the environment.

    Values of the form `{ file = "/run/secrets/x" }` are read from that file, so that secrets stay out of the TOML.
    Raises ConfigError that names each wrong key.
    """
    source = path or (Path(named) if (named := os.environ.get("UNIRG_CONFIG")) else None)
    values = _read(source) if source else {}
    _refuse_unknown_variables()
    try:
        return Settings(**values)
    except ValidationError as error:
        where = str(source) if source else "the environment"
        lines = "; ".join(_explain(e["loc"], e["type"], e["msg"]) for e in error.errors())
        message = f"Configuration in {where} is wrong: {lines}. Correct these keys and start again."
        raise ConfigError(message) from None


def _explain(place: tuple[int | str, ...], kind: str, message: str) -> str:
    words = message.removeprefix("Value error, ")
    said = "unknown key" if kind == "extra_forbidden" else words[:1].lower() + words[1:]
    return f"{'.'.join(map(str, place))}: {said}" if place else said


def _refuse_unknown_variables() -> None:
    known = {f"UNIRG_{name.upper()}" for name in Settings.model_fields}
    unknown = [v for v in os.environ if v.startswith("UNIRG_") and v not in OUTSIDE and v.split("__")[0] not in known]
    if unknown:
        message = f"Unknown environment variables: {', '.join(sorted(unknown))}. Remove or rename them."
        raise ConfigError(message)


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        message = f"There is no configuration file {path}; give another with --config."
        raise ConfigError(message)
    try:
        with path.open("rb") as file:
            return {key: _resolve(value) for key, value in tomllib.load(file).items()}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        message = f"{path} is not valid TOML: {error}."
        raise ConfigError(message) from error
    except OSError as error:
        message = f"{path}, or a file it names, cannot be read: {error.strerror}."
        raise ConfigError(message) from error


def _resolve(value: Any) -> Any:
    if isinstance(value, dict):
        if set(value) == {"file"}:
            return Path(value["file"]).read_text(encoding="utf-8").strip()
        return {key: _resolve(inner) for key, inner in value.items()}
    return value
