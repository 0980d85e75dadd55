"""What the photo component is told: plain JSON, pictures as data addresses, the rest words."""

from __future__ import annotations

from typing import Literal, TypedDict


class PhotoView(TypedDict):
    """One photo in a list. ``small`` is a data address, empty for one that was struck, of which
    ``struck`` says by whom and why. ``alt`` is the picture in words."""

    key: str
    small: str
    alt: str
    time: str
    by: str
    about: str
    of: str
    note: str
    marks: list[str]
    struck: str


class BesideView(TypedDict):
    """The newest photo of a flap and the one to hold it against; None where there is none. The
    baseline is None too when it is the newest itself. ``baseline_word`` says what it is: of the
    baseline check, or only the first."""

    latest: PhotoView | None
    baseline: PhotoView | None
    baseline_word: str


class PhotosData(TypedDict):
    """Photos in sequence. ``whose`` names patient and flap above a large one; ``beside`` is held
    against whichever is opened; ``pictures`` are the large ones that were asked for, by key;
    ``earlier`` says how many more there are."""

    title: str
    whose: str
    photos: list[PhotoView]
    beside: PhotoView | None
    beside_word: str
    pictures: dict[str, str]
    earlier: int
    empty: str
    may_strike: bool


class PhotoAction(TypedDict):
    """What was pressed: a photo opened or closed, struck, or earlier ones asked for. ``nonce``
    differs for every press."""

    kind: Literal["open", "close", "strike", "earlier"]
    key: str
    nonce: str
