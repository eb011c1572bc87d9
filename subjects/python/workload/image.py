"""`image`: a JPEG in; squares of 100, 300 and 800 px out, cover-cropped, JPEG quality 80, by Pillow.

Pillow lets go of the interpreter's lock while it decodes, resizes and encodes, so that threads run
this workload side by side."""

from __future__ import annotations

import hashlib
import itertools
import os
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageOps, UnidentifiedImageError

from clock import now_ns
from run import TaskError
from spec import Spec

PACKAGES = ("pillow",)

SIDES = (100, 300, 800)
OUTPUT_QUALITY = 80

_requests = itertools.count()


class Picture:
    def __init__(self, jpeg: bytes, decode: str, folder: Path | None) -> None:
        self._jpeg = jpeg
        self._decode = decode
        self._folder = folder

    def run(self, task: int, payload: bytes) -> tuple[int, bytes]:
        outputs = squares(self._jpeg, self._decode)
        if self._folder is not None:
            write_outputs(self._folder, outputs)
        return checksum(outputs), b""

    def examine(self) -> None:
        """Whether what `run` makes is what it is to make; for the right answer, outside any
        clock."""
        for jpeg, side in zip(squares(self._jpeg, self._decode), SIDES, strict=True):
            with Image.open(BytesIO(jpeg)) as picture:
                picture.load()
                if (picture.format, picture.size) != ("JPEG", (side, side)):
                    raise ValueError(
                        f"the square of {side} px is {picture.format} of {picture.size}"
                    )


def prepare(spec: Spec) -> Picture:
    if not spec.options["input"]:
        raise ValueError("image needs a picture: option `input`")
    jpeg = Path(spec.options["input"]).read_bytes()
    return Picture(jpeg, spec.options["decode"], output_folder(spec))


def squares(jpeg: bytes, decode: str) -> list[bytes]:
    """What a request does. `once`: the whole picture is decoded, as in Rust. `per-size`: as the
    notes' loop does, and then `draft` has each decoded no finer than its size needs."""
    try:
        if decode == "once":
            with Image.open(BytesIO(jpeg)) as picture:
                whole = picture.convert("RGB")
            return [encode(square(whole, side)) for side in SIDES]
        outputs = []
        for side in SIDES:
            with Image.open(BytesIO(jpeg)) as picture:
                picture.draft("RGB", (side, side))
                outputs.append(encode(square(picture.convert("RGB"), side)))
        return outputs
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError) as error:
        raise TaskError(f"the picture: {error}") from error


def checksum(outputs: list[bytes]) -> int:
    """Of the files' bytes: the same encoder makes the same ones under every strategy."""
    digest = hashlib.sha256()
    for jpeg in outputs:
        digest.update(jpeg)
    return int.from_bytes(digest.digest()[:8], "little")


def output_folder(spec: Spec) -> Path | None:
    if spec.options["output"] == "memory":
        return None
    if not spec.options["dir"]:
        raise ValueError("output = files needs a folder: option `dir`")
    return Path(spec.options["dir"])


def write_outputs(folder: Path, outputs: list[bytes]) -> None:
    # A process number comes round again and threads share one, so neither alone is unique.
    request = f"{os.getpid()}-{now_ns()}-{next(_requests)}"
    for jpeg, side in zip(outputs, SIDES, strict=True):
        try:
            (folder / f"{request}-{side}.jpg").write_bytes(jpeg)
        except OSError as error:
            raise TaskError(f"write into the output folder {folder}: {error}") from error


def square(picture: Image.Image, side: int) -> Image.Image:
    """The middle of the picture, as much as fits a square, at this side."""
    return ImageOps.fit(picture, (side, side), Image.Resampling.LANCZOS)


def encode(picture: Image.Image) -> bytes:
    """With colour at half the resolution, as in the other runtimes."""
    out = BytesIO()
    picture.save(out, "JPEG", quality=OUTPUT_QUALITY, subsampling="4:2:0")
    return out.getvalue()
