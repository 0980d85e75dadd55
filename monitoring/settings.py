"""What differs between hospitals: the only reader of the environment and of config/settings.toml.

An environment variable (FLAPS_ and the key in capitals) outranks the file. Nothing is guessed: an
unknown key, an unknown FLAPS_ variable or a value that cannot work is refused with a sentence.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from monitoring.signs import MonitoringError

ROOT = Path(__file__).resolve().parent.parent
"""The folder that holds dashboard.py, config and data."""

FILE = ROOT / "config" / "settings.toml"
PREFIX = "FLAPS_"
ELSEWHERE = "FLAPS_SETTINGS"
"""The environment variable that names another settings file."""

SECRET = frozenset({"record_url", "channels", "dead_man_url"})
"""Settings that may hold a password or a token: no sentence repeats them."""

DEMO = {"demo": "demo://"}
"""What is used while no channel is set up: messages go to a file and a page, to no telephone."""

_CHANNEL_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")


class BadSettings(MonitoringError):
    """A setting that cannot work; the sentence names the key and where it was read."""


class Settings(BaseSettings):
    """One hospital's settings. Times in seconds; see config/settings.toml for their meaning."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, extra="forbid", frozen=True, hide_input_in_errors=True
    )

    wards: Annotated[tuple[str, ...], NoDecode] = Field(min_length=1)
    time_zone: str = "Europe/London"
    record_url: str = Field(default="sqlite:///data/record.db", repr=False)
    address: str = Field(default="127.0.0.1", min_length=1)
    port: int = Field(default=8501, ge=1, le=65535)
    board_refresh_seconds: float = Field(default=5, ge=1, le=10)
    tick_seconds: float = Field(default=2, ge=1, le=10)
    engine_stale_seconds: float = Field(default=60, ge=10, le=80)
    public_url: str = ""
    channels: dict[str, str] = Field(default={}, repr=False, validate_default=True)
    bundle_seconds: float = Field(default=0.5, ge=0, le=5)
    dead_man_url: str = Field(default="", repr=False)
    call: dict[Literal["red", "amber"], str] = Field(
        default={
            "red": "The registrar on call now; no answer in 5 min: the consultant",
            "amber": "The registrar on call, for a review within 30 min",
        }
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment first, then the file; no .env file and no secrets folder."""
        return env_settings, init_settings

    @property
    def zone(self) -> ZoneInfo:
        """The wall clock's zone."""
        return ZoneInfo(self.time_zone)

    @property
    def link_base(self) -> str:
        """Where a message's link leads: the dashboard's public address, without a slash."""
        if self.public_url:
            return self.public_url
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.address, self.address)
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    @property
    def demo_file(self) -> Path:
        """Where the demonstration channel writes: beside a record in a file, else in data."""
        file = self.record_url.removeprefix("sqlite:///")
        folder = ROOT / "data" if file == self.record_url else Path(file.partition("?")[0]).parent
        return folder / "demo-messages.jsonl"

    @field_validator("wards", mode="before")
    @classmethod
    def _ward_names(cls, given: object) -> object:
        """Names from a list, or from an environment variable with commas."""
        names = given.split(",") if isinstance(given, str) else given
        if not isinstance(names, list | tuple):
            raise ValueError("wants a list of ward names")
        stripped = tuple(name.strip() for name in names if isinstance(name, str))
        if len(stripped) != len(names) or not all(stripped):
            raise ValueError("has a ward without a name")
        if len(set(stripped)) != len(stripped):
            raise ValueError("names a ward twice")
        return stripped

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, given: str) -> str:
        try:
            ZoneInfo(given)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(
                f"is {given!r}, which is no zone; it wants one such as Europe/London"
            ) from error
        return given

    @field_validator("record_url")
    @classmethod
    def _usable_record(cls, given: str) -> str:
        """A SQLite path made absolute, or a PostgreSQL URL with the driver we ship."""
        scheme, separator, rest = given.partition("://")
        if separator and scheme in ("postgresql", "postgres", "postgresql+psycopg"):
            return f"postgresql+psycopg://{rest}"
        if scheme != "sqlite" or not rest.startswith("/"):
            raise ValueError("wants sqlite:///path/to/record.db or postgresql://user@host/name")
        path = rest.removeprefix("/")
        if path in ("", ":memory:"):
            raise ValueError("must be a file: dashboard and watcher share one record")
        return f"sqlite:///{ROOT / path}"

    @field_validator("channels", mode="before")
    @classmethod
    def _named_channels(cls, given: object) -> object:
        """Names that may stand in a key and on a page. What an address says is looked at by the
        worker: a wrong one must not keep the board from starting."""
        if not isinstance(given, Mapping):
            raise ValueError('wants names and addresses, such as {"mail": "mailto://..."}')
        for name, url in given.items():
            if not isinstance(name, str) or not _CHANNEL_NAME.fullmatch(name):
                raise ValueError(
                    f"names a channel {name!r}; a name is lower-case letters, digits, - and _, "
                    "beginning with a letter"
                )
            if not isinstance(url, str) or not url.strip():
                raise ValueError(
                    f"gives channel {name} no address; it wants one such as "
                    "mailto://mailer:PASSWORD@mail.example.org?from=flaps@example.org&to={to}"
                )
        return {name: url.strip() for name, url in given.items()} or DEMO

    @field_validator("public_url", "dead_man_url")
    @classmethod
    def _usable_address(cls, given: str) -> str:
        """Empty, or an address that begins with http:// or https:// and names a host."""
        stripped = given.strip().rstrip("/")
        try:
            parts = urlsplit(stripped)
            usable = parts.scheme in ("http", "https") and bool(parts.hostname)
            usable = usable and (parts.port is None or parts.port > 0)
        except ValueError:
            usable = False
        if stripped and (not usable or any(c.isspace() for c in stripped)):
            raise ValueError("wants an address such as https://flaps.example.org, or nothing")
        return stripped

    @model_validator(mode="after")
    def _stale_after_several_ticks(self) -> Settings:
        if self.engine_stale_seconds < 3 * self.tick_seconds:
            raise ValueError(
                f"engine_stale_seconds ({self.engine_stale_seconds:g}) must be at least three "
                f"times tick_seconds ({self.tick_seconds:g}), or a healthy watcher is called dead"
            )
        return self


def read_settings(file: Path | None = None) -> Settings:
    """This hospital's settings from ``file`` (else FLAPS_SETTINGS, else config/settings.toml) and
    the environment. Raises BadSettings."""
    chosen = file or Path(os.environ.get(ELSEWHERE) or FILE)
    _refuse_unknown_variables(os.environ)
    try:
        return Settings(**_read(chosen))
    except ValidationError as error:
        raise BadSettings(_sentence(error, chosen)) from error
    except SettingsError:
        raise BadSettings(_not_json(os.environ)) from None


def _read(file: Path) -> dict[str, Any]:
    try:
        body = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadSettings(f"Settings file {file} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSettings(f"Settings file {file} is not TOML: {error}.") from error
    unknown = sorted(set(body) - set(Settings.model_fields))
    if unknown:
        raise BadSettings(
            f"{file}: {unknown[0]} is no setting; "
            f"the settings are {', '.join(sorted(Settings.model_fields))}."
        )
    return body


def _refuse_unknown_variables(environment: Mapping[str, str]) -> None:
    """A misspelt FLAPS_RECORD_URL must not leave a ward writing to another record."""
    known = {f"{PREFIX}{key}".upper() for key in Settings.model_fields} | {ELSEWHERE}
    unknown = sorted(n for n in environment if n.upper().startswith(PREFIX) and n not in known)
    if unknown:
        raise BadSettings(
            f"The environment sets {unknown[0]}, which is no setting; "
            f"the settings are {', '.join(sorted(known))}."
        )


def _not_json(environment: Mapping[str, str]) -> str:
    """Which variable that wants a JSON object holds something else; never what it holds."""
    wrong = []
    for name in ("FLAPS_CHANNELS", "FLAPS_CALL"):
        try:
            json.loads(environment.get(name, "{}"))
        except ValueError:
            wrong.append(name)
    return (
        f"Environment variable {' and '.join(wrong) or 'of a table'} is not JSON; it wants an "
        'object such as {"mail": "mailto://..."}.'
    )


def _sentence(error: ValidationError, file: Path) -> str:
    """The first thing wrong, never repeating what may hold a password."""
    first = error.errors()[0]
    reason = first["msg"].removeprefix("Value error, ")
    if not first["loc"]:
        return f"Settings ({file}): {reason}."
    key = str(first["loc"][0])
    variable = f"{PREFIX}{key}".upper()
    where = f"Environment variable {variable}" if variable in os.environ else f"{file}: {key}"
    match first["type"]:
        case "missing":
            return f"{file}: {key} is missing."
        case "value_error":
            return f"{where} {reason}."
    given = "" if key in SECRET else f" is {first['input']!r};"
    return f"{where}{given} {reason[:1].lower()}{reason[1:]}."
