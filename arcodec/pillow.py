"""Importing this teaches Pillow the format: ``Image.open("x.arc")`` and ``image.save("x.arc")``.

Opening reads the header alone; pixels are decoded when they are asked for. Saving takes ``preset``. Bytes that are no
picture are not opened. Pillow keeps 8 bits a channel (16 for a single one), so a deeper picture is refused: take it by
``arcodec.decompress_image``.
"""

from __future__ import annotations

from typing import IO, Any

from PIL import Image, ImageFile

from . import blocks, container, pictures
from .errors import ArcodecError, UsageError
from .media import images, wrapped
from .media.raster import UnfitError
from .predictor import Resources

FORMAT = "ARC"
_MODES = {(1, 1): "1", (1, 8): "L", (2, 8): "LA", (3, 8): "RGB", (4, 8): "RGBA", (1, 16): "I;16"}


def _accept(prefix: bytes) -> bool:
    return prefix[:4] == container.MAGIC and len(prefix) > 5 and prefix[5] >> 4 == container.PICTURE


class ArcImageFile(ImageFile.ImageFile):
    """An .arc file that holds a picture."""

    format = FORMAT
    format_description = "arcodec, lossless compression with learned models"

    def _open(self) -> None:
        assert self.fp is not None
        self._data = self.fp.read()
        try:
            picture = container.read_header(memoryview(self._data)).picture
        except ArcodecError as error:
            raise SyntaxError(str(error)) from error
        if picture is None:
            raise SyntaxError("this .arc file holds bytes, not a picture")
        depth = picture.scale.depth if picture.scale else picture.depth
        inside = wrapped.palette_of(picture.envelope) if not images.comes_back(picture) else None
        mode = "P" if inside else _MODES.get((picture.channels, depth))
        if mode is None:
            raise SyntaxError(f"{picture.channels} channels of {depth} bits have no mode in Pillow")
        self._size, self._mode = (picture.width, picture.height), mode
        self.tile = []

    def load(self) -> Any:
        """Decode the pixels, once."""
        if self._data:
            data, self._data = self._data, b""
            try:
                member, *others = container.members(memoryview(data))
                if others:
                    raise OSError("this .arc file holds more than one picture")
                raster = pictures.raster_of(member, Resources(), None, blocks.quiet)
                inside = wrapped.image_of(raster)
                self.text = wrapped.text_of(raster.envelope)
            except ArcodecError as error:
                raise OSError(str(error)) from error
            self.im, self._mode, self.palette = inside.im, inside.mode, inside.palette
            self.info.update(inside.info)
        return super().load()


def _save(image: Image.Image, file: IO[bytes], filename: str | bytes) -> None:
    if getattr(image, "n_frames", 1) > 1:
        raise OSError(f"a picture of several frames cannot be saved as {FORMAT}: give one of them, as image.copy()")
    more = {key: image.encoderinfo[key] for key in ("dpi", "icc_profile", "exif") if key in image.encoderinfo}
    try:
        raster = wrapped.of_image(image, more)
    except UnfitError as unfit:
        raise OSError(f"this picture cannot be saved as {FORMAT}: {unfit}") from None
    preset, model = image.encoderinfo.get("preset", "default"), image.encoderinfo.get("model")
    try:
        done = pictures.measured(raster, model, preset, Resources())
        blocks.check_round_trip(done, model, threads=None)
    except UsageError as error:
        raise ValueError(str(error)) from error
    file.write(done.data)


def register() -> None:
    """Done at import; doing it again changes nothing."""
    Image.register_open(FORMAT, ArcImageFile, _accept)
    Image.register_save(FORMAT, _save)
    Image.register_extension(FORMAT, ".arc")


register()
