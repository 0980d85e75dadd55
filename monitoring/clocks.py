"""Moments in the words of the ward's clock."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from monitoring.conditions import lasting


def clock(moment: datetime, zone: ZoneInfo, now: datetime | None = None) -> str:
    """Local wall time; with the weekday when it was on another local day than ``now``, with the
    zone in the hour that occurs twice."""
    local = moment.astimezone(zone)
    said = f"{local:%H:%M}"
    if now is not None and local.date() != now.astimezone(zone).date():
        said = f"{local:%a} {said}"
    if local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset():
        said += f" {local:%Z}"
    return said


def ago(moment: datetime, now: datetime) -> str:
    """How long ago, in words; a clock that runs ahead makes no negative age."""
    return f"{lasting(now - moment)} ago" if now - moment >= timedelta(minutes=1) else "just now"
