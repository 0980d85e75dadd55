"""Handing a message to a provider: what reaches it, what it said, and what nobody may read."""

from __future__ import annotations

import base64
import io
import json
import logging
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import pytest

from monitoring import notify
from monitoring.domain import ChannelKind
from monitoring.notify import Channel, Message, channels, send
from monitoring.settings import Settings
from tests.sinks import HttpSink, SmtpSink, http_sink, smtp_sink

NOW = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)
MESSAGE = Message(
    "RED venous, bed 12, L breast DIEP", "Dusky, refill 0.5 s (limit 1).", ("7.0.0.diaz.sms",), NOW
)


def channel(url: str, name: str = "sms") -> Channel:
    """One channel as the settings give it."""
    return channels(Settings(wards=("W",), channels={name: url}))[name]


@pytest.fixture
def provider() -> Iterator[HttpSink]:
    with http_sink() as sink:
        yield sink


@pytest.fixture
def mail() -> Iterator[tuple[SmtpSink, int]]:
    with smtp_sink() as sink:
        yield sink


@pytest.fixture
def root_log() -> Iterator[io.StringIO]:
    """Everything that would reach the worker's log, were it told to write everything."""
    said = io.StringIO()
    handler, root = logging.StreamHandler(said), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield said
    root.setLevel(level)
    root.removeHandler(handler)


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("smseagles://TOKEN@sms.example.org/{to}", ChannelKind.PERSONAL),
        ("mailtos://m:PASSWORD@mail.example.org?from=f@example.org&to={to}", ChannelKind.PERSONAL),
        ("ntfys://USER:PASSWORD@ntfy.example.org/{to}?priority=high", ChannelKind.PERSONAL),
        ("jsons://paging.example.org/flaps?:person={to}", ChannelKind.PERSONAL),
        ("workflows://host.example.org:443/WORKFLOWabc/SIGNATURE", ChannelKind.SHARED),
        ("json://127.0.0.1:8080/alerts", ChannelKind.SHARED),
        ("demo://", ChannelKind.DEMO),
    ],
)
def test_every_example_of_the_settings_file_can_be_used(url: str, kind: ChannelKind) -> None:
    """What an operator copies out of the settings file is a channel, personal where it has a
    place for a person's own number."""
    found = channel(url)
    assert (found.kind, found.problem) == (kind, None)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("tulip", ["sms", "name://"]),
        ("json://", ["sms", "name://"]),
        ("mailtoo://me:tulip@host", ["mailtoo://", "no kind of address"]),
        ("slack://tulip", ["slack://", "other parts"]),
        ("tulip tulip://x", ["sms", "no kind of address"]),
    ],
)
def test_an_address_that_cannot_be_used_is_said_without_it(url: str, words: list[str]) -> None:
    """A malformed address: a sentence names the channel and says what to do; what stands in the
    address is not repeated, and sending on it answers with the same sentence."""
    found = channel(url)
    assert found.problem is not None
    for word in [*words, "config/settings.toml"]:
        assert word in found.problem
    assert "tulip@" not in found.problem and "//tulip" not in found.problem
    assert send(found, "+44", MESSAGE) == notify.Answer(False, found.problem)
    assert "tulip@" not in repr(found)


def test_a_webhook_gets_words_and_keys(provider: HttpSink) -> None:
    """A receiver reads what is wrong, and the key by which it can fold what it was given twice."""
    answer = send(channel(provider.url()), None, MESSAGE)
    assert answer.ok and answer.said
    (got,) = provider.got
    assert (got.body["title"], got.body["message"]) == (MESSAGE.title, MESSAGE.body)
    assert got.keys == ["7.0.0.diaz.sms"]


@pytest.mark.parametrize("address", ["+447700900123", "a&b=c@example.org", "50% / {to}?x#y"])
def test_a_persons_address_arrives_whole(provider: HttpSink, address: str) -> None:
    """Whatever stands in a person's number or address reaches the provider unchanged and can
    change nothing else of the channel's."""
    answer = send(channel(provider.url(more="?:person={to}")), address, MESSAGE)
    assert answer.ok
    assert provider.got[0].body["person"] == address
    assert provider.got[0].path == "/flaps"


def test_a_mail_arrives_as_plain_text_with_its_keys(mail: tuple[SmtpSink, int]) -> None:
    """An e-mail goes to the person's own address, in plain text, the keys in a header."""
    sink, port = mail
    post = channel(f"mailto://127.0.0.1:{port}?from=flaps@example.org&to={{to}}&mode=insecure")
    answer = send(post, "diaz@example.org", MESSAGE)
    assert answer.ok, answer
    (got,) = sink.mails
    assert sink.to == ["diaz@example.org"]
    assert got["Subject"] == MESSAGE.title
    assert got.get_content_type() == "text/plain"
    assert got["X-Flap-Keys"] == "7.0.0.diaz.sms"


def test_a_mail_server_that_refuses_is_quoted(mail: tuple[SmtpSink, int]) -> None:
    """The mail server's own words are kept, without the person's address."""
    sink, port = mail
    sink.refuses = "550 mailbox is full"
    post = channel(f"mailto://127.0.0.1:{port}?from=flaps@example.org&to={{to}}&mode=insecure")
    answer = send(post, "diaz@example.org", MESSAGE)
    assert not answer.ok
    assert "diaz@example.org" not in answer.said


@pytest.mark.parametrize("status", ["400", "401", "500", "503", "reset"])
def test_what_is_not_taken_is_said_without_secrets(
    provider: HttpSink, status: str, root_log: io.StringIO
) -> None:
    """A refusal or a broken line is an answer, with the provider's words; neither it nor the log
    repeats the password, the path or the person's number, even where the provider does."""
    provider.answer = lambda _: status
    url = f"json://me:tulip@127.0.0.1:{provider.port}/secret-path?:person={{to}}"
    answer = send(channel(url), "+447700900123", MESSAGE)
    assert not answer.ok
    if status.isdigit():
        assert status in answer.said and "the gateway said no to ***" in answer.said
    for hidden in ("tulip", "secret-path", "447700900123"):
        assert hidden not in answer.said
        assert hidden not in root_log.getvalue()


@pytest.mark.parametrize(
    ("login", "more", "hidden"),
    [
        ("me:tulip@", "", "me:tulip"),
        ("me:tu%2Flip%3F~~@", "", "me:tu/lip?~~"),
        ("m%C3%A9:t%C3%BClip@", "", "mé:tülip"),
        ("", "?user=bob&pass=rose", "bob:rose"),
        ("a:b@", "", "a:b"),
    ],
)
@pytest.mark.parametrize("spelt", [str, lambda code: quote(code, safe="")])
def test_a_login_that_the_provider_repeats_in_base64_is_not_kept(
    provider: HttpSink, login: str, more: str, hidden: str, spelt: Callable[[str], str]
) -> None:
    """A gateway that refuses and shows the request's own headers: user and password stand in it in
    base64, with its padding and without, and none of it is kept."""
    provider.answer = lambda _: "401"
    provider.says = lambda headers: (
        f'{{"Authorization": "{spelt(headers["Authorization"])}", "was": '
        f'"{spelt(headers["Authorization"].rstrip("="))}"}} so no'
    )
    answer = send(channel(f"json://{login}127.0.0.1:{provider.port}/x{more}"), None, MESSAGE)
    assert not answer.ok and "so no" in answer.said and "Basic" in answer.said
    for charset in ("utf-8", "latin-1"):
        for code in (base64.b64encode, base64.urlsafe_b64encode):
            said = code(hidden.encode(charset)).decode().rstrip("=")
            assert said not in answer.said and quote(said, safe="") not in answer.said


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ("to%2Fken", "to/ken"),
        ("to%2fken", "to%2Fken"),
        ("to%2Fken", "to%2fken"),
        ("to%2Fken", "to%252Fken"),
        ("to%20ken", "to ken"),
        ("to%20ken", "to+ken"),
        ("to+ken", "to%2Bken"),
        ("t%C3%B6ken", "töken"),
        ("t%C3%B6ken", "t\\u00f6ken"),
        ("t%C3%B6ken", "t\\xc3\\xb6ken"),
        ("to%22ken", 'to\\"ken'),
        ("to%22ken", 'to\\\\"ken'),
        ("to%2Fken", "to\\/ken"),
        ("to%2Fken", "to\\\\/ken"),
        ("to%27ken", "to\\'ken"),
        ("to%22ken", "to&quot;ken"),
        ("token", "TOKEN"),
        ("a~to!ken", "a~to%21ken"),
    ],
)
def test_a_part_of_the_address_is_hidden_however_it_is_spelt(part: str, said: str) -> None:
    """A token or number stands URL-encoded in the address and plain in the answer, or the other
    way round, in JSON, or in capitals: it is not kept."""
    for url in (f"json://host/{part}", f"json://me:{part}@host/", f"json://host/?to={part}"):
        assert notify._hidden(f"no to <{said}>, sorry", url) == "no to <***>, sorry"


def test_a_name_without_a_password_is_hidden_too() -> None:
    """Some senders write "None" for a password that is not there."""
    for pair in ("onlyme:None", "onlyme:", "onlyme"):
        code = base64.b64encode(pair.encode()).decode()
        assert notify._hidden(f"no {code}", "json://onlyme@host/", "onlyme", None) == "no ***"


def test_a_word_of_two_letters_does_not_hide_half_the_answer() -> None:
    """Short parts of an address, or none, leave the provider's sentence readable."""
    sentence = "The gateway refused: no credit left, ask the office."
    for url in ("json://host/to/an", "json://a:b@host", "json://host", "demo://", ""):
        assert notify._hidden(sentence, url, "", None) == sentence


def test_nobody_listening_is_an_answer() -> None:
    """A provider that is down is answered for at once."""
    with http_sink() as sink:
        url = sink.url()
    answer = send(channel(url), None, MESSAGE)
    assert not answer.ok and "onnection" in answer.said


def test_a_provider_that_hangs_is_given_up(
    provider: HttpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether it never answers or answers a letter at a time, nobody waits longer than the hard
    limit, whatever limits the address itself names."""
    provider.answer = lambda _: "timeout"
    begun = time.monotonic()
    silent = send(channel(provider.url(more="?rto=0.3")), None, MESSAGE)
    assert not silent.ok and time.monotonic() - begun < 3
    monkeypatch.setattr(notify, "HARD_LIMIT", 0.3)
    slow = send(channel(provider.url(more="?rto=20")), None, MESSAGE)
    assert slow == notify.Answer(False, "No answer within 0.3 s.")


def test_the_longest_wait_is_shorter_than_a_claim() -> None:
    """A message is given up well before another worker may take it for abandoned."""
    from monitoring import outbox

    assert outbox.LEASE.total_seconds() > notify.HARD_LIMIT + 5


def test_without_an_address_nobody_is_reached(provider: HttpSink) -> None:
    """A person without a number on the channel: a sentence, and nothing is sent anywhere."""
    for missing in (None, ""):
        answer = send(channel(provider.url(more="?:person={to}")), missing, MESSAGE)
        assert not answer.ok and "No address on channel sms" in answer.said
    assert provider.got == []


def test_the_demonstration_writes_a_line(tmp_path: Path) -> None:
    """With nothing set up a newcomer finds the message in a file beside the record, readable by
    its owner only."""
    settings = Settings(wards=("W",), record_url=f"sqlite:///{tmp_path}/in/record.db")
    found = channels(settings)
    assert list(found) == ["demo"]
    for _ in range(2):
        assert send(found["demo"], "diaz", MESSAGE).ok
    file = tmp_path / "in" / "demo-messages.jsonl"
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert [line["to"] for line in lines] == ["diaz", "diaz"]
    assert lines[0]["title"] == MESSAGE.title and lines[0]["keys"] == ["7.0.0.diaz.sms"]
    assert file.stat().st_mode & 0o077 == 0


def test_a_demonstration_that_cannot_write_says_so(tmp_path: Path) -> None:
    """A folder in the way: an answer, not an error."""
    (tmp_path / "demo-messages.jsonl").mkdir()
    settings = Settings(wards=("W",), record_url=f"sqlite:///{tmp_path}/record.db")
    answer = send(channels(settings)["demo"], "diaz", MESSAGE)
    assert not answer.ok and "cannot be written" in answer.said


def test_a_long_answer_is_cut(provider: HttpSink) -> None:
    """A provider that answers with a page of text does not fill the record."""
    found = channel(provider.url())
    long = notify._hidden("x " * 4000, found.url)
    assert len(long) == notify.SAID_LENGTH


def test_a_short_message_service_names_fewer_at_once() -> None:
    """A service for short texts is never given twenty alerts in one message; mail is."""
    assert channel("smseagles://TOKEN@sms.example.org/{to}").most < 10
    assert channel("mailtos://m:PASSWORD@mail.example.org?from=f@e.org&to={to}").most == 20
