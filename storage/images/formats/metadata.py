"""Pictures apart from their metadata: what Pillow is given, and what tells how the pixels are turned.

Pillow refuses sound pictures whose metadata are broken or long, so it never sees those of a PNG, and of a JPEG neither
EXIF nor segments that are too short.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from struct import unpack_from

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
PNG_PICTURE = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"acTL", b"fcTL", b"fdAT"})
"""Chunks that pixels are made from."""
PNG_XMP, PNG_EXIF = b"XML:com.adobe.xmp", b"Raw profile type exif"
"""Keywords of texts that hold metadata of other formats."""
PNG_COMPRESSED = frozenset({b"zTXt", b"iCCP"})
"""Chunks of a keyword, a zero, the number of the compression, and compressed content."""
MOST_TEXT_BYTES = 2**20
"""Of a text or a colour profile that is read."""
LONG = f"more than {MOST_TEXT_BYTES >> 20} MiB of text or colour profile in it was not read"
"""A remark."""

JPEG_BEGINS, JPEG_EXIF, JPEG_XMP = b"\xff\xd8", b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0"
JPEG_SHORTEST = {0xE0: (b"JFIF", 14), 0xE2: (b"ICC_PROFILE\0", 14), 0xEE: (b"Adobe", 12)}
"""How segments begin, and bytes below which they are broken: Pillow stumbles over them."""
STANDALONE = frozenset({0x01, *range(0xD0, 0xD8)})
"""Markers without a length."""
SCAN, END = 0xDA, 0xD9


@dataclass(frozen=True)
class Separated:
    """A picture and what is said of it."""

    picture: bytes
    """The file without what Pillow stumbles over."""
    exif: bytes = b""
    xmp: bytes = b""
    remark: str = ""
    """What of the metadata could not be read; else empty."""


def separate(content: bytes) -> Separated:
    """The picture in a file of any format but TIFF, apart from its metadata."""
    if content.startswith(PNG_SIGNATURE):
        return _separate_png(content)
    if content.startswith(JPEG_BEGINS):
        return _separate_jpeg(content)
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        chunks = dict(_riff_chunks(content))
        return Separated(content, exif=chunks.get(b"EXIF", b""), xmp=chunks.get(b"XMP ", b""))
    return Separated(content)


def _separate_png(content: bytes) -> Separated:
    chunks, exif, xmp, remark = [PNG_SIGNATURE], b"", b"", ""
    offset, end = len(PNG_SIGNATURE), len(content)
    while offset + 12 <= end:
        length, kind = unpack_from(">I4s", content, offset)
        following = offset + 12 + length
        if kind in PNG_PICTURE or following > end:
            chunks.append(content[offset:following])
        elif kind == b"eXIf":
            exif = content[offset + 8 : following - 4]
        else:
            keyword, text, is_long = _png_text(kind, content[offset + 8 : following - 4])
            remark = LONG if is_long else remark
            xmp = text if keyword == PNG_XMP else xmp
            exif = _from_hexadecimal(text) if keyword == PNG_EXIF and not exif else exif
        offset = following
        if kind == b"IEND":
            break
    return Separated(b"".join((*chunks, content[offset:])), exif, xmp, remark)


def _png_text(kind: bytes, chunk: bytes) -> tuple[bytes, bytes, bool]:
    """Keyword and text of a chunk, of which no more than the limit is unpacked, and whether there is more."""
    keyword, _, text = chunk.partition(b"\0")
    is_packed = kind in PNG_COMPRESSED
    if is_packed:
        text = text[1:]
    elif kind == b"iTXt":
        is_packed = text[:1] == b"\1"
        text = text[2:].partition(b"\0")[2].partition(b"\0")[2]
    elif kind != b"tEXt":
        return b"", b"", False
    if is_packed:
        unpacking = zlib.decompressobj()
        try:
            text = unpacking.decompress(text, MOST_TEXT_BYTES + 1)
        except zlib.error:
            return keyword, b"", False
    return keyword, text[:MOST_TEXT_BYTES], len(text) > MOST_TEXT_BYTES


def _from_hexadecimal(text: bytes) -> bytes:
    """EXIF as ImageMagick keeps it in a text: three lines of heading, and hexadecimal digits."""
    try:
        return bytes.fromhex(b"".join(text.split(b"\n")[3:]).decode("ascii"))
    except ValueError:
        return b"?"  # no EXIF block, and told as such


def _separate_jpeg(content: bytes) -> Separated:
    exif, xmp = b"", b""
    segments, begin = [], 0
    for marker, start, end in _jpeg_segments(content):
        body = content[start + 4 : end]
        if marker == 0xE1 and body.startswith(JPEG_EXIF):
            exif += body[len(JPEG_EXIF) :] if exif else body
        elif marker == 0xE1 and body.startswith(JPEG_XMP):
            xmp = body[len(JPEG_XMP) :]
        sign, least = JPEG_SHORTEST.get(marker, (b"", 0))
        is_short = sign and body.startswith(sign) and len(body) < least
        if is_short or (marker == 0xE1 and body.startswith(JPEG_EXIF)):
            segments.append(content[begin:start])
            begin = end
    return Separated(b"".join((*segments, content[begin:])) if segments else content, exif, xmp)


def _jpeg_segments(content: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker, beginning and end of every segment before the pixels."""
    offset = len(JPEG_BEGINS)
    while offset + 4 <= len(content) and content[offset] == 0xFF:
        marker = content[offset + 1]
        if marker in (SCAN, END):
            return
        if marker == 0xFF or marker in STANDALONE:
            offset += 1 if marker == 0xFF else 2
            continue
        end = offset + 2 + int(unpack_from(">H", content, offset + 2)[0])
        if end > len(content):
            return
        yield marker, offset, end
        offset = end


def _riff_chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and content of every chunk of a WebP file."""
    offset = 12
    while offset + 8 <= len(content):
        kind, length = unpack_from("<4sI", content, offset)
        yield kind, content[offset + 8 : offset + 8 + length]
        offset += 8 + length + length % 2
