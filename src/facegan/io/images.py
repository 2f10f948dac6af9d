"""Read and write image files, and convert H×W×3 RGB arrays to tensors and back."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError

from facegan.errors import InputError
from facegan.io.atomic import atomic_file

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor

    from facegan.io.result_marker import ResultMarker

# Pillow knows more, but among it are videos it cannot decode and PostScript, which is a program.
FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "TIFF", "BMP", "GIF")
MAX_MEGAPIXELS = 100
MAX_SIDE = 32_766
"""MediaPipe ends the process at a larger image: its OpenCV counts in 16 bits."""
JPEG_QUALITY = 95


def read_image(path: Path) -> NDArray[np.uint8]:
    """Read an image of any supported format as RGB.

    The EXIF orientation is applied, transparency becomes white, and gray, CMYK, palette and 16-bit images
    become RGB. Of an animation the first frame is read.

    Returns:
        H×W×3, RGB.

    Raises:
        InputError: if the file is missing, damaged, no image, or larger than 100 megapixels or 32,766 pixels
            per side.
    """
    try:
        with _open(path) as image:
            return np.array(_to_rgb(ImageOps.exif_transpose(image)))
    except InputError:
        raise
    except UnidentifiedImageError as error:
        msg = f"cannot read {path} as an image: it is none of {', '.join(FORMATS)}"
        raise InputError(msg) from error
    except Exception as error:  # Pillow's decoders raise almost anything at damaged data
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        msg = f"cannot read {path} as an image: {reason.splitlines()[0]}"
        raise InputError(msg) from error


def is_image(path: Path) -> bool:
    """Check by its first bytes whether a file is an image; animations (GIF, PNG) count as videos.

    Raises:
        InputError: if it is an image that is too large.
    """
    try:
        with _open(path) as image:
            return image.format not in ("GIF", "PNG") or not getattr(image, "is_animated", False)
    except InputError:
        raise
    except Exception:
        return False


def write_image(path: Path, image: NDArray[np.uint8], marker: ResultMarker | None = None) -> None:
    """Write H×W×3 RGB as a file in the format of its suffix (.png, .jpg, .jpeg).

    Args:
        path: the file; an earlier one is replaced, a missing folder is made.
        image: H×W×3, RGB.
        marker: marks the image and signs the file before it appears; None for neither.

    Raises:
        OSError: if the file cannot be written, for example to a full disk; nothing is left.
    """
    with atomic_file(path, overwrite=True) as temporary:
        Image.fromarray(marker.mark(image) if marker else image).save(temporary, quality=JPEG_QUALITY)
        if marker:
            marker.sign(temporary)


def center_crop(image: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Crop the largest centered square of an image and resize it to size×size×3."""
    height, width = image.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = image[top : top + side, left : left + side]
    interpolation = cv2.INTER_AREA if side > size else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(square, (size, size), interpolation=interpolation), np.uint8)


def downscale_to_fit(image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Downscale an image that is wider or higher than ``side`` pixels; others stay as they are."""
    height, width = image.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return image
    shape = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(image, shape, interpolation=cv2.INTER_AREA), np.uint8)


def image_to_tensor(image: NDArray[np.uint8]) -> Tensor:
    """Convert ...×H×W×3 levels of 0..255 to a ...×3×H×W tensor in -1..1."""
    return normalize_levels(torch.from_numpy(image).movedim(-1, -3))


def normalize_levels(levels: Tensor) -> Tensor:
    """Scale levels of 0..255, of any shape, to 32-bit floats in -1..1."""
    return levels.float().div_(127.5).sub_(1)


def tensor_to_images(images: Tensor) -> NDArray[np.uint8]:
    """Convert a ...×3×H×W or ...×1×H×W tensor in -1..1 to ...×H×W×3 levels of 0..255.

    Values beyond the range are clipped; a single channel becomes gray.
    """
    levels = images.float().clamp(-1, 1).add(1).mul(127.5).round().byte().movedim(-3, -1)
    return np.ascontiguousarray(levels.expand(*levels.shape[:-1], 3).cpu().numpy())


def _open(path: Path) -> Image.Image:
    """Read the header; no pixel is decoded yet."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(path, formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise _too_large(path) from error
    if max(image.size) > MAX_SIDE or math.prod(image.size) > MAX_MEGAPIXELS * 1_000_000:
        image.close()
        raise _too_large(path)
    return image


def _too_large(path: Path) -> InputError:
    limit = f"{MAX_MEGAPIXELS} megapixels and {MAX_SIDE} pixels a side"
    return InputError(f"{path} is too large an image: make it smaller, at most {limit}")


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    elif image.mode in ("I", "F"):
        msg = "its pixels have 32 bits: save it with 8 or 16"
        raise ValueError(msg)
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)
    return image.convert("RGB")
