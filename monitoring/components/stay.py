"""The packaged components of the flap and alerts pages: read-only but for the alerts' answers."""

from __future__ import annotations

from typing import cast

import streamlit as st

from monitoring.components import _nothing, _source
from monitoring.components.stay_shapes import (
    AlertAction,
    AlertsData,
    CheckTableData,
    FactsData,
    HeadData,
    NoticeData,
)

__all__ = ["alert_cards", "check_table", "flap_head", "notice", "stay_facts"]

_alerts = st.components.v2.component(
    "flap_alerts",
    html='<div class="root alerts"></div>',
    css=_source("tokens.css", "spark.css", "stay.css", "alerts.css"),
    js=_source("dom.js", "spark.js", "tile.js", "sound.js", "alerts.js"),
)

_head = st.components.v2.component(
    "flap_head",
    html='<div class="root"></div>',
    css=_source("tokens.css", "stay.css"),
    js=_source("dom.js", "tile.js", "flap_head.js"),
)

_table = st.components.v2.component(
    "flap_check_table",
    html='<div class="root"></div>',
    css=_source("tokens.css", "stay.css", "check_table.css"),
    js=_source("dom.js", "tile.js", "check_table.js"),
)

_facts = st.components.v2.component(
    "flap_facts",
    html='<div class="root"></div>',
    css=_source("tokens.css", "stay.css"),
    js=_source("dom.js", "facts.js"),
)

_notice = st.components.v2.component(
    "flap_notice",
    html='<div class="root"></div>',
    css=_source("tokens.css", "stay.css"),
    js=_source("dom.js", "notice.js"),
)


def alert_cards(data: AlertsData, *, key: str) -> AlertAction | None:
    """Draw alerts as cards; return what was pressed under one since the last run, or None.

    Cards are kept by alert through refreshes, so that focus, scroll and opened details stay.
    """
    result = _alerts(data=data, key=key, on_action_change=_nothing)
    return cast("AlertAction | None", result.action)


def flap_head(data: HeadData, *, key: str) -> bool:
    """Draw whose flap it is and how it stands; return whether the screen is a telephone's."""
    result = _head(data=data, key=key, on_narrow_change=_nothing)
    return result.narrow is True


def check_table(data: CheckTableData, *, key: str) -> None:
    """Draw the checks of a stay as a table that keeps its rows and cells on any width."""
    _table(data=data, key=key)


def stay_facts(data: FactsData, *, key: str) -> None:
    """Draw sections of labelled facts."""
    _facts(data=data, key=key)


def notice(data: NoticeData, *, key: str) -> None:
    """Say what was done, as plain text, to eyes and screen readers alike."""
    _notice(data=data, key=key)
