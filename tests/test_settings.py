"""A hospital's settings: read from one file and the environment, refused in sentences."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from monitoring.settings import FILE, ROOT, BadSettings, read_settings


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [n for n in os.environ if n.startswith("FLAPS_")]:
        monkeypatch.delenv(name)


def written(folder: Path, text: str) -> Path:
    file = folder / "settings.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_the_shipped_file_loads_and_says_what_the_ward_expects() -> None:
    """The shipped settings work as they are: London time, a record in data/, port 8501."""
    settings = read_settings(FILE)
    assert settings.wards == ("Ward 7",)
    assert settings.zone.key == "Europe/London"
    assert settings.record_url == f"sqlite:///{ROOT / 'data' / 'record.db'}"
    assert (settings.address, settings.port) == ("127.0.0.1", 8501)
    assert (settings.board_refresh_seconds, settings.tick_seconds) == (5, 2)
    assert settings.engine_stale_seconds == 60


def test_the_file_need_only_name_the_wards(tmp_path: Path) -> None:
    """Everything but the wards has a default; a relative record lies in the product's folder
    wherever it was started from."""
    settings = read_settings(written(tmp_path, 'wards = ["Burns", "Plastics"]'))
    assert settings.wards == ("Burns", "Plastics")
    assert settings.record_url.startswith(f"sqlite:///{ROOT}")


def test_the_environment_outranks_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service's environment wins over the file, wards with commas included."""
    file = written(tmp_path, 'wards = ["A"]\nport = 9000\nrecord_url = "sqlite:///x.db"')
    monkeypatch.setenv("FLAPS_PORT", "9001")
    monkeypatch.setenv("FLAPS_WARDS", "Ward 7, Ward 8")
    monkeypatch.setenv("FLAPS_RECORD_URL", f"sqlite:///{tmp_path}/other.db")
    settings = read_settings(file)
    assert settings.port == 9001
    assert settings.wards == ("Ward 7", "Ward 8")
    assert settings.record_url == f"sqlite:///{tmp_path}/other.db"


def test_another_file_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """FLAPS_SETTINGS names the file when the shipped one is not to be touched."""
    file = written(tmp_path, 'wards = ["Elsewhere"]')
    monkeypatch.setenv("FLAPS_SETTINGS", str(file))
    assert read_settings().wards == ("Elsewhere",)


@pytest.mark.parametrize("url", ["postgresql://me@db/flaps", "postgresql+psycopg://me@db/flaps"])
def test_a_postgresql_record_uses_the_driver_we_ship(tmp_path: Path, url: str) -> None:
    """Either spelling of a PostgreSQL address reaches the same driver."""
    settings = read_settings(written(tmp_path, f'wards = ["A"]\nrecord_url = "{url}"'))
    assert settings.record_url == "postgresql+psycopg://me@db/flaps"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("port = 0", ["port", "0", "greater than or equal to 1"]),
        ('port = "many"', ["port", "'many'"]),
        ('time_zone = "Europe/Londn"', ["time_zone", "'Europe/Londn'", "Europe/London"]),
        ("board_refresh_seconds = 60", ["board_refresh_seconds", "60", "less than or equal to 10"]),
        ("tick_seconds = nan", ["tick_seconds"]),
        ('record_url = "mysql://h/d"', ["record_url", "sqlite:///"]),
        ('record_url = "data/record.db"', ["record_url", "sqlite:///"]),
        ('record_url = "sqlite://"', ["record_url", "sqlite:///"]),
        ('record_url = "sqlite:///:memory:"', ["record_url", "file"]),
        ('colour = "red"', ["colour", "no setting", "time_zone"]),
        ('public_url = "flaps.example.org"', ["public_url", "https://"]),
        ('public_url = "https://"', ["public_url", "https://"]),
        ('dead_man_url = "ftp://tulip"', ["dead_man_url", "https://"]),
        ("bundle_seconds = 9", ["bundle_seconds", "9", "less than or equal to 5"]),
        ('channels = "sms"', ["channels", "names and addresses"]),
        ('[channels]\nSMS = "json://x"', ["channels", "'SMS'", "lower-case"]),
        ('[channels]\n"a b" = "json://x"', ["channels", "'a b'", "lower-case"]),
        ('[channels]\nsms = ""', ["channels", "sms no address", "mailto://"]),
        ("[channels]\nsms = 7", ["channels", "sms no address", "mailto://"]),
        ("tick_seconds = 10\nengine_stale_seconds = 12", ["engine_stale_seconds", "three times"]),
    ],
)
def test_a_setting_that_cannot_work_is_refused_by_name(
    tmp_path: Path, line: str, words: list[str]
) -> None:
    """Whoever set it up reads which key in which file is wrong, and what it wants."""
    file = written(tmp_path, f'wards = ["A"]\n{line}')
    with pytest.raises(BadSettings) as refusal:
        read_settings(file)
    for word in [str(file), *words]:
        assert word in str(refusal.value)


@pytest.mark.parametrize(
    ("wards", "words"),
    [
        ("[]", "wards"),
        ('["A", " "]', "without a name"),
        ('["A", "A"]', "twice"),
        ("7", "list of ward names"),
        ("[7]", "without a name"),
    ],
)
def test_wards_are_named_once_each(tmp_path: Path, wards: str, words: str) -> None:
    """A ward without a name, or named twice, would make two boards out of one."""
    with pytest.raises(BadSettings, match=words):
        read_settings(written(tmp_path, f"wards = {wards}"))


def test_missing_wards_missing_file_and_broken_file_are_told_apart(tmp_path: Path) -> None:
    """Three different mistakes, three different sentences."""
    with pytest.raises(BadSettings, match="wards is missing"):
        read_settings(written(tmp_path, ""))
    with pytest.raises(BadSettings, match="not TOML: Invalid value"):
        read_settings(written(tmp_path, "wards = ["))
    with pytest.raises(BadSettings, match=r"absent\.toml cannot be read"):
        read_settings(tmp_path / "absent.toml")


def test_a_bad_environment_variable_is_named_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sentence points at the variable, not at the file, when the variable is at fault."""
    monkeypatch.setenv("FLAPS_PORT", "http")
    with pytest.raises(BadSettings, match="Environment variable FLAPS_PORT is 'http'"):
        read_settings(written(tmp_path, 'wards = ["A"]'))


def test_a_misspelt_variable_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """FLAPS_RECORDURL must not leave a ward writing quietly into another record."""
    monkeypatch.setenv("FLAPS_RECORDURL", "sqlite:///real.db")
    with pytest.raises(BadSettings, match="FLAPS_RECORDURL, which is no setting"):
        read_settings(written(tmp_path, 'wards = ["A"]'))


def test_a_password_is_never_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a refusal nor a printed settings object repeats the record's address."""
    monkeypatch.setenv("FLAPS_RECORD_URL", "mysql://me:tulip@db/flaps")
    file = written(tmp_path, 'wards = ["A"]')
    with pytest.raises(BadSettings) as refusal:
        read_settings(file)
    assert "tulip" not in str(refusal.value)
    monkeypatch.setenv("FLAPS_RECORD_URL", "postgresql://me:tulip@db/flaps")
    assert "tulip" not in repr(read_settings(file))


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("FLAPS_CHANNELS", '{"sms": "json://me:tulip@h/"'),
        ("FLAPS_CHANNELS", '["json://me:tulip@h/"]'),
        ("FLAPS_CHANNELS", '{"SMS": "json://me:tulip@h/"}'),
        ("FLAPS_CHANNELS", '{"sms": ["json://me:tulip@h/"]}'),
        ("FLAPS_DEAD_MAN_URL", "me:tulip@host"),
        ("FLAPS_DEAD_MAN_URL", "https://me:tulip@host:port/x"),
    ],
)
def test_a_channel_s_secret_is_never_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    """A malformed channel or outside watcher: the sentence names the variable and says what it
    wants, and repeats nothing of what it holds."""
    monkeypatch.setenv(variable, value)
    with pytest.raises(BadSettings) as refusal:
        read_settings(written(tmp_path, 'wards = ["A"]'))
    assert variable in str(refusal.value) and "tulip" not in str(refusal.value)
    assert "wants" in str(refusal.value) or "lower-case" in str(refusal.value)


def test_channels_come_from_the_file_and_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file names what is no secret; the environment adds what is, and wins over the same name.
    Neither is repeated when the settings are printed."""
    file = written(tmp_path, 'wards = ["A"]\n[channels]\nsms = "json://x"\nboard = "json://y"')
    monkeypatch.setenv("FLAPS_CHANNELS", '{"sms": "json://me:tulip@z", "mail": "mailto://w"}')
    settings = read_settings(file)
    assert settings.channels == {
        "sms": "json://me:tulip@z", "board": "json://y", "mail": "mailto://w",
    }  # fmt: skip
    assert "json" not in repr(settings)


@pytest.mark.parametrize("text", ['wards = ["A"]', 'wards = ["A"]\n[channels]'])
def test_without_a_channel_there_is_the_demonstration(tmp_path: Path, text: str) -> None:
    """A newcomer sees paging work with nothing configured: messages go to a file beside the
    record."""
    settings = read_settings(written(tmp_path, text))
    assert settings.channels == {"demo": "demo://"}
    assert settings.demo_file == ROOT / "data" / "demo-messages.jsonl"
    assert read_settings(FILE).channels == {"demo": "demo://"}


def test_the_demonstration_s_file_lies_beside_the_record(tmp_path: Path) -> None:
    """Beside a record in a file, and in data/ when the record is a database elsewhere."""
    for url, folder in (
        (f"sqlite:///{tmp_path}/r.db?mode=ro", tmp_path),
        ("postgresql://me@db/flaps", ROOT / "data"),
    ):
        settings = read_settings(written(tmp_path, f'wards = ["A"]\nrecord_url = "{url}"'))
        assert settings.demo_file == folder / "demo-messages.jsonl"


@pytest.mark.parametrize(
    ("lines", "base"),
    [
        ("", "http://127.0.0.1:8501"),
        ('address = "0.0.0.0"\nport = 9000', "http://127.0.0.1:9000"),
        ('address = "::1"', "http://[::1]:8501"),
        ('public_url = "https://flaps.example.org/"', "https://flaps.example.org"),
    ],
)
def test_a_link_leads_where_a_telephone_reaches_it(tmp_path: Path, lines: str, base: str) -> None:
    """The link in a message begins with the public address, or this machine's without one."""
    assert read_settings(written(tmp_path, f'wards = ["A"]\n{lines}')).link_base == base
