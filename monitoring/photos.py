"""A photo as it may enter the record: small enough, truly a picture, and without anything but it.

A camera writes where and when a picture was taken, on what machine, sometimes a whole second
picture. None of that belongs in the record: every photo is decoded and written anew.
"""

from __future__ import annotations

import hashlib
import io
import re
import threading
import warnings
from typing import NamedTuple

import pillow_heif
from PIL import Image, ImageCms, ImageDraw, ImageFont, ImageOps

from monitoring.domain import MonitoringError

MOST_BYTES = 10 * 1024 * 1024
"""The largest file that is taken, as the server's own limit on uploads."""

MOST_PIXELS = 40_000_000
"""The largest picture that is decoded: a small file may claim to be any size."""

LONGEST = 2560
"""The longest side of the picture that is kept, in pixels."""

LONGEST_SMALL = 480
"""The longest side of the small picture that lists show, in pixels."""

_MOST_SCANS = 64
"""A camera writes a JPEG in one pass or in about ten; each more costs as much to decode."""

_AFTER_SCAN = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
"""Where a pass over a JPEG ends: a marker that is neither stuffing nor a restart."""

_HEIF = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}
_OTHERS = {
    b"GIF8": "a GIF",
    b"%PDF": "a PDF",
    b"BM": "a bitmap",
    b"II*\x00": "a TIFF or a raw picture",
    b"MM\x00*": "a TIFF or a raw picture",
    b"RIFF": "a WebP picture or a video",
    b"<": "a page or a drawing (HTML or SVG)",
    b"\xef\xbb\xbf<": "a page or a drawing (HTML or SVG)",
}
_TAKE_IT = "take the photo again, or choose a JPEG, PNG or HEIC file"

# Two people who save at once would otherwise hold two of them in memory: 40 megapixels are 120 MB.
_one_at_a_time = threading.Lock()

warnings.filterwarnings("error", category=Image.DecompressionBombWarning)
pillow_heif.register_heif_opener(thumbnails=False)


class BadPhoto(MonitoringError):
    """The file is no photo that may enter the record; the sentence says what to do."""


class Developed(NamedTuple):
    """A photo written anew as sRGB JPEG, upright, without metadata: the picture with its size in
    pixels and the hash of its bytes, and a small one for lists."""

    picture: bytes
    small: bytes
    width: int
    height: int
    sha256: str


def develop(data: bytes, name: str) -> Developed:
    """The photo in a file, whatever the file is called; of several pictures in it the first.

    Raises BadPhoto when it is no JPEG, PNG or HEIC by its content, is larger than 10 MB or 40
    megapixels, or cannot be decoded to its end.
    """
    called = _called(name)
    form = _form(data, called)
    with _one_at_a_time:
        upright = _upright(_opened(data, form, called), called)
        picture = _shrunk(upright, LONGEST)
        small = _shrunk(picture, LONGEST_SMALL)
        kept, listed = _jpeg(picture, 90), _jpeg(small, 82)
    return Developed(kept, listed, *picture.size, hashlib.sha256(kept).hexdigest())


def _called(name: str) -> str:
    """A file's name as a sentence may hold it."""
    plain = "".join(c for c in name if c.isprintable()).strip()
    return plain if len(plain) <= 60 else f"{plain[:57]}..."


def _form(data: bytes, called: str) -> str:
    """What the content says it is, and small enough."""
    if not data:
        raise BadPhoto(f"{called} is empty: {_TAKE_IT}.")
    if len(data) > MOST_BYTES:
        raise BadPhoto(f"{called} is larger than 10 MB: take the photo at a lower resolution.")
    if data.startswith(b"\xff\xd8\xff"):
        if _scans(data) > _MOST_SCANS:
            raise BadPhoto(f"{called} was not written by a camera: {_TAKE_IT}.")
        return "JPEG"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data[4:8] == b"ftyp" and data[8:12] in _HEIF:
        return "HEIF"
    start = data[:64].lstrip()
    what = next((words for magic, words in _OTHERS.items() if start.startswith(magic)), "something")
    told = "is no photo" if what == "something" else f"is {what}, not a photo"
    raise BadPhoto(f"{called} {told}: {_TAKE_IT}.")


def _scans(data: bytes) -> int:
    """How many passes a JPEG makes over its first picture."""
    scans, at = 0, 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != 0xD9:
        marker = data[at + 1]
        at += 2 + int.from_bytes(data[at + 2 : at + 4])
        if marker == 0xDA:
            scans += 1
            after = _AFTER_SCAN.search(data, at)
            at = len(data) if after is None else after.end() - 2
    return scans


def _opened(data: bytes, form: str, called: str) -> Image.Image:
    """The picture's header, its size judged before anything is decoded."""
    try:
        opened = Image.open(io.BytesIO(data), formats=[form])
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_large(called) from None
    except Exception:  # a decoder given hostile bytes may raise anything
        raise _broken(called) from None
    width, height = opened.size
    if width <= 0 or height <= 0:
        raise _broken(called)
    if width * height > MOST_PIXELS:
        raise _too_large(called)
    return opened


def _too_large(called: str) -> BadPhoto:
    return BadPhoto(f"{called} has more than 40 megapixels: take the photo at a lower resolution.")


def _broken(called: str) -> BadPhoto:
    return BadPhoto(f"{called} is damaged or cut short: {_TAKE_IT}.")


def _upright(opened: Image.Image, called: str) -> Image.Image:
    """The decoded picture in sRGB, turned as it was held, on the way made no larger than needed."""
    profile = opened.info.get("icc_profile")
    try:
        opened.draft(opened.mode, (LONGEST, LONGEST))
        opened.load()
        turned = _turned(opened, _shrunk(_plain(opened), LONGEST))
    except Exception:  # a decoder given hostile bytes may raise anything
        raise _broken(called) from None
    return _in_srgb(_on_white(turned), profile)


def _plain(opened: Image.Image) -> Image.Image:
    """Eight bits a colour, and no palette: what can be made smaller."""
    if opened.mode in ("RGB", "RGBA", "L", "CMYK"):
        return opened
    if opened.mode.startswith("I"):
        return opened.convert("I").point(lambda grey: grey * (1 / 256)).convert("L")
    return opened.convert("RGBA" if opened.has_transparency_data else "RGB")


def _on_white(image: Image.Image) -> Image.Image:
    """Nothing see-through."""
    if image.mode != "RGBA":
        return image
    ground = Image.new("RGBA", image.size, "white")
    ground.alpha_composite(image)
    return ground.convert("RGB")


def _turned(opened: Image.Image, decoded: Image.Image) -> Image.Image:
    """Upright by what the camera noted; a note that cannot be read turns nothing."""
    try:
        way = opened.getexif().get(0x0112, 1)
    except Exception:
        return decoded
    turn = _TURNS.get(way)
    return decoded if turn is None else decoded.transpose(turn)


_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def _shrunk(image: Image.Image, longest: int) -> Image.Image:
    if max(image.size) <= longest:
        return image
    return ImageOps.contain(image, (longest, longest), Image.Resampling.LANCZOS)


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """The colours as every screen shows them; a profile that cannot be read is left aside."""
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            target = ImageCms.createProfile("sRGB")
            found = ImageCms.profileToProfile(image, source, target, outputMode="RGB")
            if found is not None:
                return found
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass
    return image.convert("RGB")


def _jpeg(image: Image.Image, quality: int) -> bytes:
    """The pixels alone: what else hangs on an image object would be written along."""
    clean = Image.new("RGB", image.size)
    clean.paste(image)
    out = io.BytesIO()
    # Whole colour resolution: the tone of the skin is what the photo is for.
    clean.save(out, "JPEG", quality=quality, subsampling=0)
    return out.getvalue()


def synthetic(skin: str, flap: str) -> bytes:
    """A PNG that nobody takes for a photo: a flat oval of one colour on a ground of another (both
    as #rrggbb), with the word on it. For the demonstration."""
    image = Image.new("RGB", (960, 720), skin)
    draw = ImageDraw.Draw(image)
    draw.ellipse((180, 120, 780, 600), fill=flap, outline="#2a1c16", width=6)
    for top in (60, 660):
        draw.rectangle((0, top - 34, 960, top + 34), fill="#ffffff")
        draw.text(
            (480, top), "SYNTHETIC PICTURE, NO PATIENT", fill="#000000", anchor="mm",
            font=ImageFont.load_default(40),
        )  # fmt: skip
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()
