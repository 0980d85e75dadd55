"""What may enter the record as a photo, and what of it: the picture, and nothing with it."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import pillow_heif
import pytest
from PIL import Image, ImageCms, PngImagePlugin

from monitoring.photos import MOST_BYTES, BadPhoto, Developed, develop

CANARY = b"CANARY-51.5074N"
ORIENTATION, DESCRIPTION, GPS = 0x0112, 0x010E, 0x8825


def scene(width: int = 64, height: int = 48) -> Image.Image:
    """A picture whose top left corner is red, the rest grey."""
    image = Image.new("RGB", (width, height), (120, 120, 120))
    image.paste((220, 10, 10), (0, 0, width // 2, height // 2))
    return image


def saved(image: Image.Image, kind: str, **more: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **more)
    return out.getvalue()


def heic(image: Image.Image, **more: Any) -> bytes:
    out = io.BytesIO()
    pillow_heif.from_pillow(image).save(out, **more)
    return out.getvalue()


def exif(way: int = 1) -> Image.Exif:
    """What a telephone notes: which way up, and where."""
    noted = Image.Exif()
    noted[ORIENTATION] = way
    noted[DESCRIPTION] = CANARY.decode()
    noted[GPS] = {1: "N", 2: (51.0, 30.0, 26.64), 0x1D: CANARY.decode()}
    return noted


def seen(developed: Developed) -> Image.Image:
    image = Image.open(io.BytesIO(developed.picture))
    image.load()
    return image


def red_at(image: Image.Image, x: float, y: float) -> bool:
    red, green, _ = image.getpixel((int(x * image.width), int(y * image.height)))  # type: ignore[misc]
    return bool(red > 170 and green < 60)


def png_of(width: int, height: int, colour: int = 0) -> bytes:
    """A tiny file that claims, truly, to be a very large grey picture."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 1, colour, 0, 0, 0)
    packer = zlib.compressobj(9)
    row = b"\0" * (1 + (width + 7) // 8)
    body = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    start = b"\x89PNG\r\n\x1a\n"
    return start + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.mark.parametrize("name", ["flap.jpg", "flap.pdf", "", "../../etc/passwd"])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "HEIC"])
def test_a_photo_is_known_by_its_content(kind: str, name: str) -> None:
    """JPEG, PNG and HEIC are taken whatever the file is called, and all are kept as JPEG."""
    data = heic(scene()) if kind == "HEIC" else saved(scene(), kind)
    developed = develop(data, name)
    image = seen(developed)
    assert image.format == "JPEG" and image.mode == "RGB"
    assert image.size == (developed.width, developed.height) == (64, 48)
    assert red_at(image, 0.2, 0.2) and not red_at(image, 0.8, 0.8)


def test_a_photo_is_kept_large_enough_to_judge_and_small_enough_to_send() -> None:
    """The longest side is at most 2560 pixels, 480 in a list; a small photo is not blown up."""
    developed = develop(saved(scene(4000, 3000), "JPEG"), "a.jpg")
    assert (developed.width, developed.height) == (2560, 1920)
    assert Image.open(io.BytesIO(developed.small)).size == (480, 360)
    assert develop(saved(scene(), "PNG"), "a.png").width == 64


def test_the_same_photo_is_the_same_bytes() -> None:
    """Sent twice, a photo is known again by the hash of what is kept."""
    data = saved(scene(), "JPEG")
    first, second = develop(data, "a.jpg"), develop(data, "b.jpg")
    assert first == second and len(first.sha256) == 64


@pytest.mark.parametrize("way", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "HEIC"])
def test_a_photo_stands_as_the_tablet_was_held(kind: str, way: int) -> None:
    """Whichever way up the camera noted, the picture that is kept needs no note."""
    back = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}
    held = scene() if way == 1 else scene().transpose(Image.Transpose(back[way]))
    noted = {"exif": exif(way).tobytes()} if kind == "HEIC" else {"exif": exif(way)}
    data = heic(held, **noted) if kind == "HEIC" else saved(held, kind, **noted)
    image = seen(develop(data, "a"))
    assert image.size == (64, 48)
    assert red_at(image, 0.2, 0.2) and not red_at(image, 0.8, 0.8)


def laden(kind: str) -> bytes:
    """A photo with everything that a camera or a program may hang on it."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>" + CANARY + b"</x:xmpmeta>"
    noted: dict[str, Any] = {"exif": exif(), "icc_profile": profile}
    if kind == "JPEG":
        data = saved(scene(), kind, comment=CANARY, xmp=xmp, **noted)
    elif kind == "PNG":
        info = PngImagePlugin.PngInfo()
        info.add_text("Comment", CANARY.decode())
        info.add_itxt("XML:com.adobe.xmp", xmp.decode())
        info.add_text("Author", CANARY.decode(), zip=True)
        data = saved(scene(), kind, pnginfo=info, **noted)
    else:
        data = heic(scene(), exif=exif().tobytes(), xmp=xmp)
    assert CANARY in data
    return data + CANARY + b"PK\x03\x04"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "HEIC"])
def test_nothing_that_came_along_is_kept(kind: str) -> None:
    """Place, machine, comments, colour profile, thumbnail and whatever hangs behind the picture
    are gone from both pictures."""
    developed = develop(laden(kind), "a.jpg")
    for kept in (developed.picture, developed.small):
        image = Image.open(io.BytesIO(kept))
        assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
        assert not image.getexif()
        for trace in (CANARY, b"Exif", b"ICC_PROFILE", b"adobe", b"PK\x03\x04"):
            assert trace not in kept
        assert kept.endswith(b"\xff\xd9") and kept.count(b"\xff\xd8") == 1


def test_another_camera_s_colours_are_translated() -> None:
    """Red and green swapped by the file's own colour profile are seen as the camera meant them:
    dropping the profile without translating would change the colour of the skin."""
    swapped = _profile_with_red_and_green_swapped()
    developed = develop(
        saved(Image.new("RGB", (32, 32), (10, 200, 10)), "PNG", icc_profile=swapped), "a"
    )
    red, green, _ = seen(developed).getpixel((16, 16))  # type: ignore[misc]
    assert red > 150 and green < 100
    broken = saved(scene(), "PNG", icc_profile=b"no profile at all")
    assert red_at(seen(develop(broken, "a")), 0.2, 0.2)


def _profile_with_red_and_green_swapped() -> bytes:
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = int.from_bytes(profile[128:132])
    for place in range(count):
        at = 132 + 12 * place
        name = bytes(profile[at : at + 4])
        other = {b"rXYZ": b"gXYZ", b"gXYZ": b"rXYZ"}.get(name)
        if other is not None:
            profile[at : at + 4] = other
    return bytes(profile)


@pytest.mark.parametrize("mode", ["L", "P", "1", "RGBA", "LA", "I;16"])
def test_every_kind_of_png_becomes_a_picture(mode: str) -> None:
    """Grey, palette, see-through and sixteen-bit files are kept as they look."""
    image = scene().convert("L") if mode == "I;16" else scene().convert(mode)
    if mode == "I;16":
        grey = (value * 256 for value in image.tobytes())
        image = Image.frombytes("I;16", image.size, struct.pack("<3072H", *grey))
    kept = seen(develop(saved(image, "PNG"), "a.png"))
    dark, light = kept.convert("L").getpixel((4, 4)), kept.convert("L").getpixel((60, 44))
    assert isinstance(dark, int) and isinstance(light, int) and dark + 20 < light


def test_what_is_see_through_lies_on_white() -> None:
    """Nothing invisible in a file becomes visible."""
    image = Image.new("RGBA", (32, 32), (255, 0, 0, 0))
    assert seen(develop(saved(image, "PNG"), "a.png")).getpixel((5, 5)) == (255, 255, 255)


def test_print_colours_become_screen_colours() -> None:
    """A JPEG in four printing colours is kept in three."""
    kept = seen(develop(saved(scene().convert("CMYK"), "JPEG"), "a.jpg"))
    assert kept.mode == "RGB" and red_at(kept, 0.2, 0.2)


@pytest.mark.parametrize("kind", ["PNG", "MPO"])
def test_of_several_pictures_the_first_is_kept(kind: str) -> None:
    """A moving picture, or the pair some telephones write, is its first picture."""
    more: dict[str, Any] = {"duration": 100} if kind == "PNG" else {}
    second = Image.new("RGB", (64, 48), "blue")
    data = saved(scene(), kind, save_all=True, append_images=[second], **more)
    kept = develop(data, "a")
    assert red_at(seen(kept), 0.2, 0.2) and kept.picture.count(b"\xff\xd8") == 1


def test_a_small_file_that_is_a_huge_picture_is_refused() -> None:
    """A few kilobytes that would fill the memory are refused before they are decoded."""
    for width, height in [(12_000, 12_000), (41_000, 1_000), (20_000, 20_000)]:
        bomb = png_of(width, height)
        assert len(bomb) < 100_000
        with pytest.raises(BadPhoto, match="more than 40 megapixels: take the photo at a lower"):
            develop(bomb, "bomb.png")
    assert develop(png_of(8_000, 5_000), "most.png").width == 2560


def test_a_file_over_ten_megabytes_is_refused() -> None:
    """Ten megabytes are taken, one byte more is not."""
    data = saved(scene(), "JPEG")
    most = data + b"\0" * (MOST_BYTES - len(data))
    assert develop(most, "a.jpg").width == 64
    with pytest.raises(BadPhoto, match="larger than 10 MB"):
        develop(most + b"\0", "a.jpg")


def test_a_jpeg_made_to_keep_the_server_busy_is_refused() -> None:
    """A camera writes a picture in about ten passes; hundreds are an attack."""
    data = saved(scene(), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    busy = data[:-2] + data[last:-2] * 100 + data[-2:]
    with pytest.raises(BadPhoto, match="not written by a camera"):
        develop(busy, "a.jpg")
    assert develop(data, "a.jpg").width == 64


DISGUISED = {
    "GIF": saved(scene(), "GIF"),
    "PDF": b"%PDF-1.7\n1 0 obj",
    "SVG": b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
    "HTML": b"\n <!DOCTYPE html><script>alert(1)</script>",
    "TIFF": saved(scene(), "TIFF"),
    "BMP": saved(scene(), "BMP"),
    "WEBP": saved(scene(), "WEBP"),
    "text": b"not a picture at all",
    "zip": b"PK\x03\x04 and more",
}


@pytest.mark.parametrize("kind", DISGUISED)
def test_what_only_claims_to_be_a_photo_is_refused(kind: str) -> None:
    """A page, a document or another kind of picture named .jpg is refused in a sentence that says
    what to do."""
    with pytest.raises(BadPhoto, match=r"^x\.jpg is .*choose a JPEG, PNG or HEIC file\.$"):
        develop(DISGUISED[kind], "x.jpg")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "HEIC"])
def test_a_photo_cut_short_or_damaged_is_refused(kind: str) -> None:
    """Half a photo is no photo: a grey half could be read as a pale flap."""
    whole = heic(scene(640, 480)) if kind == "HEIC" else saved(_noise(), kind)
    for part in (whole[:14], whole[: len(whole) // 3], whole[: len(whole) * 9 // 10]):
        with pytest.raises(BadPhoto, match=r"is damaged or cut short: take the photo again"):
            develop(part, "x.jpg")


def _noise() -> Image.Image:
    return Image.effect_noise((320, 240), 80).convert("RGB")


def test_an_empty_file_and_an_empty_picture_are_refused() -> None:
    """Nothing is no photo."""
    with pytest.raises(BadPhoto, match=r"x\.jpg is empty"):
        develop(b"", "x.jpg")
    with pytest.raises(BadPhoto, match="damaged"):
        develop(png_of(0, 0), "x.png")


def test_a_strange_file_name_is_shown_short_and_plain() -> None:
    """A name of a thousand letters or with control characters does not spoil the sentence."""
    with pytest.raises(BadPhoto) as refused:
        develop(b"", "a\x00\u202e\n" + "b" * 500)
    assert len(str(refused.value)) < 200 and "\u202e" not in str(refused.value)
