"""What differs between hospitals: the only reader of the environment and of config/settings.toml.

An environment variable (FLAPS_ and the key in capitals) outranks the file. Nothing is guessed: an
unknown key, an unknown FLAPS_ variable or a value that cannot work is refused with a sentence.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from monitoring.signs import MonitoringError

ROOT = Path(__file__).resolve().parent.parent
"""The folder that holds dashboard.py, config and data."""

FILE = ROOT / "config" / "settings.toml"
PREFIX = "FLAPS_"
ELSEWHERE = "FLAPS_SETTINGS"
"""The environment variable that names another settings file."""


class BadSettings(MonitoringError):
    """A setting that cannot work; the sentence names the key and where it was read."""


class Settings(BaseSettings):
    """One hospital's settings. Times in seconds; see config/settings.toml for their meaning."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    wards: Annotated[tuple[str, ...], NoDecode] = Field(min_length=1)
    time_zone: str = "Europe/London"
    record_url: str = Field(default="sqlite:///data/record.db", repr=False)
    address: str = Field(default="127.0.0.1", min_length=1)
    port: int = Field(default=8501, ge=1, le=65535)
    board_refresh_seconds: float = Field(default=5, ge=1, le=10)
    tick_seconds: float = Field(default=2, ge=1, le=10)
    engine_stale_seconds: float = Field(default=60, ge=10, le=80)
    public_url: str = ""
    channels: dict[str, str] = Field(default={}, repr=False)
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


def _sentence(error: ValidationError, file: Path) -> str:
    """The first thing wrong, never repeating the record's URL, which may hold a password."""
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
    given = "" if key == "record_url" else f" is {first['input']!r};"
    return f"{where}{given} {reason[:1].lower()}{reason[1:]}."
