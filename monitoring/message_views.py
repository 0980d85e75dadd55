"""The outbox in words: who was told what, by which way, and what became of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from urllib.parse import quote
from zoneinfo import ZoneInfo

from monitoring.clocks import clock
from monitoring.components.handover_shapes import MessagesData, MessageTone, MessageView
from monitoring.components.shapes import TileSeverity
from monitoring.conditions import lasting
from monitoring.domain import ChannelKind, PageKind, PageState, Severity
from monitoring.paging import Channel, StoredPage

SHOWN = 100
"""How many messages the page lists, the newest."""

SLOW = timedelta(seconds=15)
"""How long after its writing a message that nobody tried looks as if no engine ran."""


def messages_data(
    pages: Sequence[StoredPage], names: Mapping[str, str], channels: Iterable[Channel], *,
    demo_file: str, now: datetime, zone: ZoneInfo,
) -> MessagesData:  # fmt: skip
    """The newest messages; ``demo_file`` is where the demonstration writes."""
    kinds = {c.name: c.kind for c in channels if c.active}
    return MessagesData(
        title="Messages",
        shown_time=f"{now.astimezone(zone):%H:%M:%S}",
        summary=_summary(pages),
        strip=_strip(kinds, demo_file),
        empty_text="No message was written yet. An alert writes one as soon as it is raised.",
        messages=[_message(p, names, kinds, now, zone) for p in pages],
    )


def _summary(pages: Sequence[StoredPage]) -> str:
    counts = [
        (sum(p.state is PageState.WAITING and _failed(p) for p in pages), "NOT SENT"),
        (sum(p.state is PageState.WAITING and not _failed(p) for p in pages), "being sent"),
        (sum(p.state is PageState.SENT for p in pages), "sent"),
        (sum(p.state is PageState.DROPPED for p in pages), "not needed any more"),
    ]
    return ", ".join(f"{count} {words}" for count, words in counts if count)


def _strip(kinds: Mapping[str, ChannelKind], demo_file: str) -> str:
    """What the demonstration is; "" where there is none."""
    demo = sorted(name for name, kind in kinds.items() if kind is ChannelKind.DEMO)
    if not demo:
        return ""
    alone = len(demo) == len(kinds)
    real = " No other channel is set up: nobody is really paged." if alone else ""
    return (
        f"The channel {' and '.join(demo)} is a demonstration: its messages stand here and in the "
        f"file {demo_file}, and no telephone rings.{real} Open one to stand where the person who "
        "was told would stand."
    )


def _message(
    page: StoredPage, names: Mapping[str, str], kinds: Mapping[str, ChannelKind], now: datetime,
    zone: ZoneInfo,
) -> MessageView:  # fmt: skip
    tone, state, detail = became(page, now, zone)
    demo = kinds.get(page.channel) is ChannelKind.DEMO
    to = f"room {page.channel}" if page.staff_id is None else names.get(
        page.staff_id, page.staff_id
    )  # fmt: skip
    said = [
        "" if page.level is None else page.level.replace("_", " "),
        f"by {page.channel}{' (demonstration)' if demo else ''}",
        "passed on" if page.kind is PageKind.PASSED else "",
        "late" if page.late else "",
    ]
    return MessageView(
        key=page.key,
        severity=_EDGE[page.severity],
        when=_seconds(page.created_at, zone, now),
        to=to,
        how=" · ".join(filter(None, said)),
        title=page.title,
        body=page.body.removeprefix(f"{page.title}. "),
        tone=tone,
        state=state,
        detail=detail,
        open=f"Open as {to}" if demo and page.staff_id is not None else "Open the alert",
        link=_link(page, demo),
    )


def _link(page: StoredPage, demo: bool) -> str:
    """The alert's address. Only a demonstration's is the one that the telephone got: whoever
    opened a real one here would have it count as read by the person it was sent to."""
    if page.alert_id is None:
        return ""
    key = f"&page={quote(page.key, safe='')}" if demo else ""
    return f"alerts?alert={page.alert_id}{key}"


_EDGE: Mapping[Severity, TileSeverity] = {
    Severity.RED: "red", Severity.AMBER: "amber", Severity.YELLOW: "yellow",
    Severity.NONE: "none",
}  # fmt: skip


def _failed(page: StoredPage) -> bool:
    """Whether a provider, or what stands before it, refused the message; it is tried again."""
    return page.attempts > 0 and page.answer is not None


def became(page: StoredPage, now: datetime, zone: ZoneInfo) -> tuple[MessageTone, str, str]:
    """What became of a message: how it stands, in a word with its time, and what was answered."""
    answer = page.answer or ""
    if page.sent_at is not None:
        sent = f"Sent {_seconds(page.sent_at, zone, now)}"
        if page.read_at is not None:
            return "sent", f"{sent}, read {_seconds(page.read_at, zone, now)}", answer
        return "sent", f"{sent}, not read", answer
    if page.state is PageState.DROPPED:
        return "dropped", "Not sent, not needed", answer
    if _failed(page):
        times = "once" if page.attempts == 1 else f"{page.attempts} times"
        again = f"Tried {times}, again at {_seconds(page.try_at, zone, now)}"
        return "trouble", "NOT SENT", f"{again}: {answer}"
    waited = now - page.created_at
    if waited > SLOW:
        since = f"{int(waited.total_seconds())} s" if waited < timedelta(minutes=2) else lasting(
            waited
        )  # fmt: skip
        return "trouble", f"WAITING since {since}", "Does the alert engine run?"
    return "waiting", "Being sent", ""


def _seconds(moment: datetime, zone: ZoneInfo, now: datetime) -> str:
    """A moment to the second: what is paged is counted in seconds."""
    minute = clock(moment, zone, now)
    return minute.replace(
        f"{moment.astimezone(zone):%H:%M}", f"{moment.astimezone(zone):%H:%M:%S}", 1
    )
