"""Bytes to text: what is certain first, a guess last, and a guess says that it is one."""

import codecs
from typing import BinaryIO

from ..errors import SkippedFile

# UTF-32 before UTF-16: the mark of one begins with the mark of the other.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Enough to recognise a language by.
_SAMPLE = 1 << 16
# With fewer bytes above 127 than this, the text is in Latin letters.
_LATIN_SHARE = 0.25


def decode(data: bytes, declared: str = "") -> tuple[str, str]:
    """The text, and the name of its encoding if that was guessed (otherwise empty).

    `declared` is what the file itself says; a mark at its beginning counts more. Raises SkippedFile
    for content that is no text.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace"), ""
    if declared and _is_text_encoding(declared):
        return data.decode(declared, "replace"), ""
    if encoding := _unmarked_utf16(data[:_SAMPLE]):
        return data.decode(encoding, "replace"), encoding
    if b"\0" in data:
        raise SkippedFile("binary content, not text")
    try:
        return data.decode("utf-8"), ""
    except UnicodeDecodeError:
        encoding = _guess(data)
        return data.decode(encoding, "replace"), encoding


def encoding_of(file: BinaryIO) -> tuple[str, str]:
    """As `decode`, for a file of any size: its encoding, and the same name if that was guessed.

    The file stands at the first character then. What is not UTF-8 shows anywhere in it, so all of
    it is looked at.
    """
    head = file.read(_SAMPLE)
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            file.seek(len(mark))
            return encoding, ""
    utf8 = codecs.getincrementaldecoder("utf-8")()
    block, zero = head, b"\0" in head
    encoding = _unmarked_utf16(head)
    guessed = encoding
    if not encoding:
        if zero:
            raise SkippedFile("binary content, not text")
        encoding = "utf-8"
        try:
            while block:
                utf8.decode(block)
                block = file.read(16 * _SAMPLE)
            utf8.decode(b"", final=True)
        except UnicodeDecodeError:
            encoding = guessed = _guess(block or head)
    file.seek(0)
    return encoding, guessed


def _is_text_encoding(name: str) -> bool:
    try:
        b"a".decode(name)
    except (LookupError, ValueError):
        return False
    return True


def _unmarked_utf16(sample: bytes) -> str:
    """UTF-16 without a mark shows in Latin text: nearly every second byte is zero."""
    half = len(sample) // 2
    if half < 8:
        return ""
    if sample[1::2].count(0) > 0.7 * half and not sample[::2].count(0):
        return "utf-16-le"
    if sample[::2].count(0) > 0.7 * half and not sample[1::2].count(0):
        return "utf-16-be"
    return ""


def _guess(data: bytes) -> str:
    high = bytes(byte for byte in data[: 16 * _SAMPLE] if byte > 127)[:_SAMPLE]
    replaced = data.decode("utf-8", "replace").count("\ufffd")
    if len(high) > 8 * replaced:  # UTF-8 with a few bytes damaged
        return "utf-8"
    if len(high) < _LATIN_SHARE * min(len(data), 16 * _SAMPLE):
        return "cp1252"
    import charset_normalizer  # seldom needed, and slow to load

    best = charset_normalizer.from_bytes(data[:_SAMPLE]).best()
    return str(best.encoding) if best is not None and _is_text_encoding(best.encoding) else "cp1252"
