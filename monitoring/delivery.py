"""Delivery: the threads that empty the outbox, one lane a channel.

A lane that hangs or fails delays no other. Nothing is kept in memory: what was claimed and not
marked when this process dies is claimed again by the next.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from uuid import uuid4

from monitoring import outbox
from monitoring.domain import ChannelKind
from monitoring.notify import Answer, Channel, Message, send
from monitoring.outbox import Parcel
from monitoring.paging import write_channels
from monitoring.store import Record, RecordUnavailable

log = logging.getLogger("monitoring.delivery")

LOOK_EVERY = 0.2
"""Seconds between two looks into the outbox."""

IN_A_LANE = 4
"""How many messages one channel carries at a time."""

Clock = Callable[[], datetime]


class Deliverer:
    """Sends what is in the outbox. ``clock`` tells the time of day; ``worker`` names the process
    in its claims."""

    lease = outbox.LEASE

    def __init__(
        self, record: Record, channels: Mapping[str, Channel], *, clock: Clock, worker: str,
        link_base: str, bundle_seconds: float,
    ) -> None:  # fmt: skip
        self.record = record
        self.channels = channels
        self.clock = clock
        self.worker = worker
        self.link_base = link_base
        self.bundle = timedelta(seconds=bundle_seconds)
        self._one_writer = threading.Lock()

    @property
    def usable(self) -> list[Channel]:
        """The channels that something can be sent on."""
        return [c for c in self.channels.values() if c.problem is None]

    def announce(self) -> None:
        """Write down which channels there are, and why one cannot be used."""
        now = self.clock()
        with self.record.write() as conn:
            write_channels(conn, now, [c.row(now) for c in self.channels.values()])

    def look(self) -> set[str]:
        """The channels that have something to send now, of those that can be used here. Messages
        on others are another worker's; only those that nobody took are given the reason."""
        now = self.clock()
        with self.record.read() as conn:
            due = outbox.channels_due(conn, now)
            stuck = {name: why for name in due if (why := self._why_not(name)) is not None}
            left = outbox.channels_left(conn, now) if stuck else set()
        if left := left & stuck.keys():
            with self.record.write() as conn:
                outbox.hold_back(conn, {name: stuck[name] for name in left}, now)
        return due - stuck.keys()

    def _why_not(self, name: str) -> str | None:
        channel = self.channels.get(name)
        if channel is None:
            return f"Channel {name} is not set up on this machine: name it in the settings."
        return channel.problem

    def claim(self, channel: Channel) -> Parcel | None:
        """The next parcel of the channel, now ours; None when nothing is ripe."""
        token = f"{self.worker}/{uuid4().hex[:12]}"
        with self._one_writer, self.record.write() as conn:
            return outbox.claim(
                conn, channel.name, token=token, now=self.clock(), bundle=self.bundle,
                most=channel.most, lease=self.lease,
            )  # fmt: skip

    def hand_over(self, channel: Channel, parcel: Parcel) -> Answer:
        """Send what was claimed, outside every transaction, then mark it."""
        answer = self._send(channel, parcel)
        log.info(
            "messages %s on %s: %s", [p.id for p in parcel.pages], channel.name,
            "sent" if answer.ok else "not sent",
        )  # fmt: skip
        self._mark(parcel, answer)
        return answer

    def _send(self, channel: Channel, parcel: Parcel) -> Answer:
        title, body = outbox.text(parcel, self.link_base)
        to = parcel.staff_id if channel.kind is ChannelKind.DEMO else parcel.address
        return send(channel, to, Message(title, body, parcel.keys, self.clock()))

    def _mark(self, parcel: Parcel, answer: Answer) -> None:
        """Write down what became of it, as long as the claim lasts: a record that is busy or away
        for a moment must not make it go out twice."""
        by = time.monotonic() + self.lease.total_seconds()
        mark = outbox.mark_sent if answer.ok else outbox.mark_failed
        while True:
            try:
                with self._one_writer, self.record.write() as conn:
                    mark(conn, parcel, answer.said, self.clock())
                return
            except RecordUnavailable:
                if time.monotonic() > by:
                    raise
                time.sleep(0.5)

    def deliver_all(self) -> tuple[int, int]:
        """Everything that waits, once, in this thread: how many parcels went out, how many did
        not."""
        went, stayed = 0, 0
        for channel in self.usable:
            if channel.name in self.look():
                while (parcel := self.claim(channel)) is not None:
                    answer = self.hand_over(channel, parcel)
                    went, stayed = went + answer.ok, stayed + (not answer.ok)
        return went, stayed


class Lane:
    """One channel's own threads. One wakes when there is something to send, and wakes another
    when it found something."""

    def __init__(self, deliverer: Deliverer, channel: Channel, ended: threading.Event) -> None:
        self._channel = channel
        self._deliverer = deliverer
        self._ended = ended
        self._bell = threading.Condition()
        self._rung = False
        self._threads = [
            threading.Thread(target=self._run, name=f"{channel.name}-{n}", daemon=True)
            for n in range(IN_A_LANE)
        ]
        for thread in self._threads:
            thread.start()

    def ring(self) -> None:
        """There is something to send."""
        with self._bell:
            self._rung = True
            self._bell.notify()

    def end(self, by: float) -> None:
        """Wait for what is under way until ``by`` (monotonic seconds)."""
        with self._bell:
            self._bell.notify_all()
        for thread in self._threads:
            thread.join(max(0.0, by - time.monotonic()))

    def _run(self) -> None:
        while not self._ended.is_set():
            with self._bell:
                self._bell.wait_for(lambda: self._rung or self._ended.is_set())
                self._rung = False
            try:
                self._empty()
            except Exception as error:
                complain(f"channel {self._channel.name}", error)
                self._ended.wait(1)

    def _empty(self) -> None:
        while not self._ended.is_set() and (parcel := self._deliverer.claim(self._channel)):
            self.ring()
            self._deliverer.hand_over(self._channel, parcel)


class Delivery:
    """The outbox watched from ``start`` to ``end``, in threads of its own."""

    def __init__(self, deliverer: Deliverer) -> None:
        self._deliverer = deliverer
        self._ended = threading.Event()
        self._under_way = threading.Thread(target=self._run, name="outbox", daemon=True)
        self._lanes: dict[str, Lane] = {}

    def start(self) -> None:
        """Begin to look."""
        for channel in self._deliverer.usable:
            self._lanes[channel.name] = Lane(self._deliverer, channel, self._ended)
        self._under_way.start()

    def _run(self) -> None:
        announced = False
        while not self._ended.is_set():
            try:
                if not announced:
                    self._deliverer.announce()
                    announced = True
                for name in self._deliverer.look():
                    self._lanes[name].ring()
            except Exception as error:
                complain("the outbox", error)
                self._ended.wait(1)
            self._ended.wait(LOOK_EVERY)

    def end(self, within: float = 3.0) -> None:
        """Claim nothing more, and give what is under way a moment to be marked."""
        self._ended.set()
        by = time.monotonic() + within
        self._under_way.join(within)
        for lane in self._lanes.values():
            lane.end(by)


def complain(about: str, error: Exception) -> None:
    """Say what failed and where, without repeating what it says: that may be a finding."""
    frames = []
    trace = error.__traceback__
    while trace is not None:
        frames.append(f"{trace.tb_frame.f_code.co_name}:{trace.tb_lineno}")
        trace = trace.tb_next
    said = str(error) if isinstance(error, RecordUnavailable) else type(error).__name__
    log.error("%s: delivery failed and is tried again: %s at %s", about, said, frames[-1:])
