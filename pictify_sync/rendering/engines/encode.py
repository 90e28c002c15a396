"""From raw pixels to a file: JPEG and WebP by Pillow. PNG comes from the engines' own encoders."""

from __future__ import annotations

import io

QUALITY = 0.9  # when none is asked for
WEBP_METHOD = 2  # of 0 (fast) to 6 (small)


def encode(raw: bytes, size: tuple[int, int], kind: str, quality: float | None) -> bytes:
    """Encode RGBA pixels of width x height. `quality` is 0.1 to 1; JPEG knows no transparency and gets white paper."""
    from PIL import Image  # noqa: PLC0415 - PNG needs none

    image = Image.frombuffer("RGBA", size, raw, "raw", "RGBA", 0, 1)
    percent = max(10, min(100, round(100 * (QUALITY if quality is None else quality))))
    seen = image.getchannel("A")
    if seen.getextrema()[0] == 255:
        image = image.convert("RGB")
    elif kind == "jpeg":
        image = Image.composite(image, Image.new("RGBA", size, "white"), seen).convert("RGB")
    file = io.BytesIO()
    image.save(file, kind, quality=percent, **({} if kind == "jpeg" else {"method": WEBP_METHOD}))
    return file.getvalue()
