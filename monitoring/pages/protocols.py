"""Each protocol in plain words: when to look, what each rule asks, its sources, its cases."""

from __future__ import annotations

import streamlit as st

from monitoring import cases, protocol
from monitoring.domain import Severity
from monitoring.pages import _session
from monitoring.protocol import Protocol, Rule
from monitoring.signs import SIGNS

BADGE = {
    Severity.RED: ":red-badge[:material/error: RED]",
    Severity.AMBER: ":orange-badge[:material/warning: AMBER]",
    Severity.YELLOW: ":gray-badge[:material/info: YELLOW]",
}


def schedule_of(chosen: Protocol) -> None:
    """When to look, and what a full check answers."""
    st.dataframe(
        [
            {
                "from hour": f"{p.from_hour:g}",
                "to hour": "discharge" if p.to_hour is None else f"{p.to_hour:g}",
                "every": f"{p.every_minutes:g} min",
                "on time": f"{p.early:g} min before to {p.late:g} min after",
            }
            for p in chosen.phases
        ],
        hide_index=True,
    )
    asked = ", ".join(SIGNS[s].label for s in chosen.required)
    st.markdown(f"**A full check answers:** {asked}.")
    for monitor, signs in sorted(chosen.required_with_monitor.items()):
        more = ", ".join(SIGNS[s].label for s in signs)
        st.markdown(f"With {monitor.replace('_', ' ')} also: {more}.")


def rule(found: Rule, chosen: Protocol) -> None:
    """One rule as a card: its levels, why, false alarms, sources."""
    with st.container(border=True):
        st.markdown(f"#### {found.id} · {found.title}")
        for level in found.levels:
            pattern = (level.pattern or found.pattern).value
            text = f"{BADGE[level.severity]} {pattern}, when {level.when.describe()}."
            text += f" **Do now:** {level.do_now.strip()}"
            if level.recheck_minutes is not None:
                text += f" **Recheck** in {level.recheck_minutes} min"
                text += f", else {level.if_unmet}." if level.if_unmet else "."
            st.markdown(text)
        st.markdown(f"**Why it matters.** {found.why.strip()}")
        st.markdown(f"**Known false alarms.** {found.false_alarms.strip()}")
        sources = "; ".join(f"[{c}] {chosen.citations[c]}" for c in found.citations)
        st.markdown(f"**Sources.** {sources}")


st.title("Protocols")
known = _session.protocols()
key = st.selectbox(
    "Protocol",
    sorted(known),
    format_func=lambda k: f"{known[k].title} · version {known[k].version}",
    key="protocol",
    bind="query-params",
)
chosen = known[key]
st.warning(
    f"Author: {chosen.author}. Checked by: {chosen.checker}. Not validated.",
    icon=":material/gavel:",
)
st.markdown(chosen.about)
rules, times, told, examples = st.tabs(["Rules", "When to look", "Who is told", "Cases"])
with rules:
    for one in chosen.rules:
        rule(one, chosen)
with times:
    schedule_of(chosen)
with told:
    st.markdown(protocol.who_is_told(chosen))
with examples, _session.sentences():
    st.markdown("What this protocol must say; the program runs every case before it is shipped.")
    file = cases.read_cases(protocol.FOLDER / "cases" / f"{chosen.id}-{chosen.version}.yaml")
    for case in file.cases:
        st.markdown(f"- {case.name}")
