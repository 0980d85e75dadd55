"""The packaged component that shows photos: a strip in sequence, and one of them large.

Pictures travel with the page's own data and never get an address of their own: Streamlit's media
addresses answer anybody, signed in or not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import streamlit as st

from monitoring.components import _source
from monitoring.components.photo_shapes import PhotoAction, PhotosData

__all__ = ["photo_strip"]

_photos = st.components.v2.component(
    "flap_photos",
    html='<div class="root photos"></div>',
    css=_source("tokens.css", "photos.css"),
    js=_source("dom.js", "photos.js", "photo_viewer.js"),
)


def photo_strip(data: PhotosData, *, key: str, on_action: Callable[[PhotoAction], None]) -> None:
    """Draw photos in sequence; one that is tapped opens large at once from its small picture.

    ``on_action`` runs before the page is drawn again, once for each press, so that the next
    ``data`` can carry the large pictures. It draws nothing.
    """
    handled = f"{key}:handled"

    def once(action: PhotoAction | None) -> bool:
        if action is None or st.session_state.get(handled) == action["nonce"]:
            return False
        st.session_state[handled] = action["nonce"]
        on_action(action)
        return True

    def pressed() -> None:
        # Nothing is kept under the key when the page that drew the strip was left meanwhile.
        once(getattr(st.session_state.get(key), "action", None))

    result = _photos(data=data, key=key, on_action_change=pressed)
    if once(cast("PhotoAction | None", result.action)):
        st.rerun()
