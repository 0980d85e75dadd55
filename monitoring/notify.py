"""The last step of a message: handing it to a provider, and what the provider said.

The only room that knows Apprise. It neither stores nor tries again: that is the outbox's work. A
channel's address holds secrets; it is in the settings and in memory, never in the record, in a
log or in a sentence.
"""

from __future__ import annotations

import base64
import functools
import html
import json
import logging
import os
import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from urllib.parse import quote, quote_plus, unquote, unquote_plus

import apprise
from apprise.manager_plugins import NotificationManager

from monitoring.domain import ChannelKind
from monitoring.paging import Channel as ChannelRow
from monitoring.settings import Settings

HARD_LIMIT = 15.0
"""Seconds after which nobody waits for a provider any more, however slowly it answers."""

CONNECT_LIMIT = 5
READ_LIMIT = 8
"""Seconds for a provider to be reached, and for each part of its answer, unless the channel's
address names its own (``cto`` and ``rto``)."""

MOST = 20
"""How many alerts one message names at most."""

SAID_LENGTH = 300
_TO = "{to}"
_LINE = 180
"""Letters that one alert takes in a message of several: its line and its link."""

_SAMPLES = ("+447700900123", "someone@example.org", "someone")
"""Addresses with which a channel is tried without sending: it may want any of these."""

# Both write addresses into their logs: what is worth keeping of Apprise's is in the answer.
_quiet = logging.getLogger("apprise")
_quiet.propagate = False
_quiet.setLevel(logging.DEBUG)
_quiet.addHandler(logging.NullHandler())
logging.getLogger("urllib3").setLevel(logging.ERROR)
_demo_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Channel:
    """A way to reach people. ``problem`` says why it cannot be used; None when it can.

    ``most`` is how many alerts one message may name here.
    """

    name: str
    kind: ChannelKind
    url: str = field(repr=False)
    problem: str | None = None
    most: int = MOST
    demo_file: Path | None = None

    def row(self, now: datetime) -> ChannelRow:
        """The channel as the record may know it: without its address."""
        return ChannelRow(self.name, self.kind, self.problem, True, now)


@dataclass(frozen=True, slots=True)
class Message:
    """What one person, or one room, is told. ``keys`` are the stable names of the messages in it,
    by which a receiver may fold what it was given twice."""

    title: str
    body: str
    keys: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether the provider took the message, and what it said, without secrets."""

    ok: bool
    said: str


def channels(settings: Settings) -> dict[str, Channel]:
    """Every channel that the settings name, each tried without sending anything."""
    return {n: _channel(n, url, settings.demo_file) for n, url in settings.channels.items()}


def _channel(name: str, url: str, demo_file: Path) -> Channel:
    if url.partition("://")[0].lower() == "demo":
        return Channel(name, ChannelKind.DEMO, url, demo_file=demo_file)
    kind = ChannelKind.PERSONAL if _TO in url else ChannelKind.SHARED
    for sample in _SAMPLES if kind is ChannelKind.PERSONAL else ("",):
        service, _ = _service(url, sample, ())
        if service is not None:
            longest = getattr(service, "body_maxlen", None) or _LINE * MOST
            return Channel(name, kind, url, most=max(3, min(MOST, longest // _LINE)))
    return Channel(name, kind, url, _why_not(name, url))


def _why_not(name: str, url: str) -> str:
    scheme, separator, rest = url.partition("://")
    shown = re.sub(r"[^A-Za-z0-9+.-]", "", scheme)[:20]
    how = "write it as in config/settings.toml, then restart the worker"
    if not separator or not rest:
        return f"Channel {name} has no address of the form name://...: {how}."
    if shown.lower() not in _schemes():
        return f"Channel {name}: {shown}:// is no kind of address that can be used here: {how}."
    return f"Channel {name}: a {shown}:// address wants other parts than it was given: {how}."


@functools.cache
def _schemes() -> frozenset[str]:
    return frozenset(NotificationManager().schemas())  # type: ignore[no-untyped-call]


def _service(url: str, address: str, keys: Iterable[str]) -> tuple[apprise.NotifyBase | None, str]:
    """What Apprise makes of the address, None when it can make nothing of it."""
    filled = url.replace(_TO, quote(address, safe=""))
    asset = apprise.AppriseAsset(async_mode=False)
    service = apprise.Apprise.instantiate(_with(filled, _usual(filled)), asset=asset)
    if service is None or not (marks := _marks(service, keys)):
        return service, filled
    return apprise.Apprise.instantiate(_with(filled, _usual(filled) | marks), asset=asset), filled


def _usual(url: str) -> dict[str, str]:
    """Plain text and time limits, where the address does not say otherwise."""
    usual = {"format": "text", "cto": str(CONNECT_LIMIT), "rto": str(READ_LIMIT)}
    given = {part.partition("=")[0] for part in url.partition("?")[2].split("&")}
    return {name: value for name, value in usual.items() if name not in given}


def _marks(service: apprise.NotifyBase, keys: Iterable[str]) -> dict[str, str]:
    """The messages' keys as the provider takes them along: a field, a header, or not at all."""
    said = ",".join(keys)
    takes = getattr(service, "template_kwargs", {})
    if not said:
        return {}
    if "payload" in takes:
        return {":keys": said}
    return {"+X-Flap-Keys": said} if "headers" in takes else {}


def _with(url: str, more: Mapping[str, str]) -> str:
    added = "&".join(f"{quote(n, safe=':+')}={quote(v, safe='')}" for n, v in more.items())
    return url + ("&" if "?" in url else "?") + added if added else url


def send(channel: Channel, address: str | None, message: Message) -> Answer:
    """Hand the message to the channel's provider, once. Never raises, and ends within
    ``HARD_LIMIT`` seconds whatever the provider does.

    A message that was given up may still arrive: it carries its keys.
    """
    if channel.problem is not None:
        return Answer(False, channel.problem)
    if channel.kind is ChannelKind.DEMO:
        return _demo(channel, address, message)
    if channel.kind is ChannelKind.PERSONAL and not address:
        return Answer(False, f"No address on channel {channel.name}: add it on the on-call page.")
    said: list[Answer] = []
    sender = threading.Thread(
        target=lambda: said.append(_hand_over(channel, address or "", message)), daemon=True
    )
    sender.start()
    sender.join(HARD_LIMIT)
    return said[0] if said else Answer(False, f"No answer within {HARD_LIMIT:g} s.")


def _hand_over(channel: Channel, address: str, message: Message) -> Answer:
    try:
        service, filled = _service(channel.url, address, message.keys)
        if service is None:
            return Answer(False, f"The address of this person does not suit {channel.name}.")
        door = apprise.Apprise()
        door.add(service)
        done = door.notify(
            body=message.body, title=message.title, body_format=apprise.NotifyFormat.TEXT,
            notify_type=apprise.NotifyType.WARNING, log_level=logging.DEBUG,
        )  # fmt: skip
        words = [w for entry in done.logs() if (w := _worth(entry.level, entry.message))]
        said = _hidden(" ".join(words), filled, service.user, service.password)
        return Answer(bool(done), said or _plain(bool(done)))
    except Exception as error:  # whatever a provider's code does, the others' messages go on
        return Answer(False, f"The provider's code failed: {type(error).__name__}.")


def _plain(ok: bool) -> str:
    return "Taken." if ok else "Refused without a word."


def _worth(level: str, said: str) -> str:
    """What of the provider's log tells something: its sentences, its answer, the broken line."""
    if level != "DEBUG":
        return said
    for start in ("Response Details:", "Socket Exception:"):
        if said.startswith(start):
            return said.removeprefix(start).strip()
    return ""


def _hidden(said: str, url: str, user: str | None = None, password: str | None = None) -> str:
    """The words without any part of the address: hosts, tokens and people's numbers too, however
    the provider spells them. ``user`` and ``password`` are those that it was given, wherever the
    address had them."""
    scheme, _, rest = url.partition("://")
    parts = set(re.split(r"[/:@?&=,;#]+", rest)) | {user or "", password or ""}
    parts |= {unquote(p) for p in parts} | {unquote_plus(p) for p in parts}
    words = {p for p in parts if len(p) > 2} - {scheme, "text", "format", "cto", "rto"}
    login, _, _ = re.split(r"[/?#]", rest)[0].rpartition("@")
    pairs = {login, unquote(login), f"{user or ''}:{password or ''}", f"{user}:{password}"}
    words |= {code for pair in pairs for code in _in_base64(pair)}
    spelt = {spelling for word in words for spelling in _spellings(word)}
    for word in sorted(spelt, key=len, reverse=True):
        if word.lower() in said.lower():
            said = re.sub(re.escape(word), "***", said, flags=re.IGNORECASE)
    one_line = " ".join(said.replace("\\r", " ").replace("\\n", " ").split())
    return one_line if len(one_line) <= SAID_LENGTH else one_line[: SAID_LENGTH - 3] + "..."


def _spellings(word: str) -> Iterator[str]:
    """A word as it is, URL-encoded once or twice, as HTML, as JSON, and as bytes that are shown."""
    once = {quote(word), quote(word, safe=""), quote_plus(word)}
    yield from {word} | once | {quote(coded, safe="") for coded in once}
    in_json = (json.dumps(word)[1:-1], json.dumps(word, ensure_ascii=False)[1:-1])
    slashed = (said.replace("/", "\\/") for said in in_json)
    for shown in (word, html.escape(word), *in_json, *slashed):
        yield shown
        in_bytes = repr(b"'\"" + shown.encode())[5:-1]  # as if it held both kinds of quote
        yield from (in_bytes, in_bytes.replace("\\'", "'"))


def _in_base64(pair: str) -> Iterator[str]:
    """A user and password as a header carries them, with padding and without."""
    for charset in ("utf-8", "latin-1"):
        held = pair.encode(charset, "replace")
        for code in (base64.b64encode(held).decode(), base64.urlsafe_b64encode(held).decode()):
            yield from (c for c in (code, code.rstrip("=")) if pair.strip(":") and len(c) > 3)


def _demo(channel: Channel, address: str | None, message: Message) -> Answer:
    """A line in the demonstration's file; nobody's telephone rings."""
    line = {
        "at": message.at.isoformat(), "to": address, "title": message.title,
        "body": message.body, "keys": list(message.keys),
    }  # fmt: skip
    if channel.demo_file is None:
        return Answer(False, "The demonstration has no file.")
    try:
        with _demo_lock:
            channel.demo_file.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(channel.demo_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(file, "a", encoding="utf-8") as out:
                out.write(json.dumps(line, ensure_ascii=False) + "\n")
    except OSError as error:
        return Answer(False, f"The demonstration's file cannot be written: {error.strerror}.")
    return Answer(True, f"Written to {channel.demo_file.name}; no telephone rang.")
