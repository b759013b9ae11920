"""Writes __tests__/data/pillow.json: what Pillow decodes, converts and resizes, for the tests of src/data.

    pip install pillow==13.0.0 numpy && python scripts/reference/pillow.py > __tests__/data/pillow.json
"""

import base64
import io
import json

import numpy
import PIL
from PIL import Image

random = numpy.random.default_rng(0)


def text(data):
    return base64.b64encode(bytes(data)).decode()


def raster(image):
    return {"width": image.width, "height": image.height, "channels": len(image.getbands()), "pixels": text(image.tobytes())}


def noise(mode, width, height):
    bands = len(Image.new(mode, (1, 1)).getbands())
    shape = (height, width) if bands == 1 else (height, width, bands)
    return Image.frombytes(mode, (width, height), random.integers(0, 256, shape, dtype=numpy.uint8).tobytes())


def smooth(mode, width, height):
    """What a photograph is to JPEG: little high frequency, so that decoders differ by rounding only."""
    return noise(mode, 3, 3).resize((width, height), Image.BICUBIC)


def torchvision_size(image, shorter):
    """torchvision.transforms.functional._compute_resized_image_output_size"""
    short, long = sorted(image.size)
    longer = int(shorter * long / short)
    return (shorter, longer) if image.width <= image.height else (longer, shorter)


def resized(image, shorter):
    small = image.resize(torchvision_size(image, shorter), Image.BILINEAR)
    return {"shorter": shorter, "source": raster(image), "expected": raster(small)}


def encoded(title, image, mode, form, **options):
    file = io.BytesIO()
    image.save(file, form, **options)
    return {"title": title, "file": text(file.getvalue()), "expected": raster(Image.open(io.BytesIO(file.getvalue())).convert(mode))}


palette = Image.fromarray(random.integers(0, 4, (5, 7), dtype=numpy.uint8), "P")
palette.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 20, 30])
gray_palette = Image.fromarray(random.integers(0, 4, (5, 7), dtype=numpy.uint8), "P")
gray_palette.putpalette([0, 0, 0, 80, 80, 80, 160, 160, 160, 240, 240, 240])

print(
    json.dumps(
        {
            "pillow": PIL.__version__,
            "resize": [
                resized(noise("L", 9, 7), 4),
                resized(noise("RGB", 11, 17), 5),
                resized(noise("RGB", 40, 30), 8),
                resized(noise("L", 3, 5), 8),
                resized(noise("RGB", 6, 4), 4),
                resized(noise("L", 100, 33), 16),
            ],
            "gray": (lambda image: {"source": raster(image), "expected": raster(image.convert("L"))})(noise("RGB", 64, 32)),
            "png": [
                encoded("gray", noise("L", 7, 5), "L", "PNG"),
                encoded("gray of 1 bit", noise("L", 11, 5).convert("1"), "L", "PNG"),
                encoded("gray with alpha", noise("LA", 7, 5), "L", "PNG"),
                encoded("colour", noise("RGB", 7, 5), "RGB", "PNG"),
                encoded("colour with alpha", noise("RGBA", 7, 5), "RGB", "PNG"),
                encoded("colour with one transparent colour", noise("RGB", 7, 5), "RGB", "PNG", transparency=(1, 2, 3)),
                encoded("palette of 8 bits", noise("RGB", 17, 16).quantize(200), "RGB", "PNG"),
                encoded("palette of 2 bits", palette, "RGB", "PNG", bits=2),
                encoded("palette of 4 bits with transparency", palette, "RGB", "PNG", bits=4, transparency=bytes([0, 128])),
                encoded("palette of grays", gray_palette, "L", "PNG", bits=2),
            ],
            "jpeg": [
                encoded("gray", smooth("L", 19, 13), "L", "JPEG", quality=95),
                encoded("colour 4:4:4", smooth("RGB", 19, 13), "RGB", "JPEG", quality=95, subsampling=0),
                encoded("colour 4:2:0", smooth("RGB", 35, 21), "RGB", "JPEG", quality=95, subsampling=2),
                encoded("colour 4:2:0 progressive", smooth("RGB", 35, 21), "RGB", "JPEG", quality=95, subsampling=2, progressive=True),
                encoded("colour 4:2:2 of odd size", smooth("RGB", 27, 15), "RGB", "JPEG", quality=95, subsampling=1),
                encoded("colour 4:2:0, four pixels wide", smooth("RGB", 4, 9), "RGB", "JPEG", quality=95, subsampling=2),
                encoded("stored as RGB", smooth("RGB", 19, 13), "RGB", "JPEG", quality=95, keep_rgb=True),
                encoded("CMYK", smooth("CMYK", 19, 13), "RGB", "JPEG", quality=95),
            ],
            "cropOffsets": [int(round(difference / 2.0)) for difference in range(12)],
        },
    )
)
