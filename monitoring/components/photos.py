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

    ``on_action`` runs before the page is drawn again, so that the next ``data`` can carry the
    large pictures. It draws nothing.
    """

    def pressed() -> None:
        action = cast("PhotoAction | None", st.session_state[key].action)
        if action is not None:
            on_action(action)

    _photos(data=data, key=key, on_action_change=pressed)
