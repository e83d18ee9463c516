"""The .arc format, version 1: header, blocks, index, checksums (docs/FORMAT.md has every byte).

The container knows no models: it moves payloads, and believes no length before it has checked it.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from .errors import DamagedError

MAGIC = b"\x89ARC"
VERSION = 1
MODEL_PREFIX = 4  # bytes of the model's sha-256
STORED, NETWORK, EXPERTS, MIXTURE = range(4)  # predictors
NETWORK_DEPTH = 8  # bits of a picture's samples that a network knows of
BYTES, PICTURE = range(2)  # media
# A level names a team of experts: a preset, or LEARNING, and ROOTED or not (the mixer has roots).
LEARNING = 3  # ``best``, and the network learns from the block
PRESET_BITS, ROOTED = 3, 4
# The levels that there are, by medium and predictor.
LEVELS = {
    (BYTES, EXPERTS): (0, 1, 2, 5, 6),
    (BYTES, MIXTURE): (0, 1, 2, 3, 5, 6, 7),
    (PICTURE, EXPERTS): (0, 1, 2),
    (PICTURE, MIXTURE): (0, 1, 2, 3),
}
MAX_BLOCK = 1 << 24  # symbols
MAX_LENGTH = 1 << 62
MAX_SIDE = 1 << 30  # pixels
MAX_CHANNELS = 4
MAX_ENVELOPE = 1 << 30
_SEVERAL = 1  # flag: several blocks, and an index behind them
_ROOTED = 2  # flag: the level is ROOTED; its other bits are in the next byte
_BESIDE = 4  # flag: a second model, beside the one that learns
_FLAGS = 15


@dataclass(frozen=True)
class Scale:
    """How the picture's samples follow from those coded, where they are not the same: step * coded + offset."""

    depth: int  # bits of the picture's samples
    step: int
    offset: int


@dataclass(frozen=True)
class Picture:
    """The shape of what was coded if it was a picture, and what else its file held (see ``media``)."""

    width: int
    height: int
    channels: int
    depth: int  # bits of a sample as it is coded
    envelope: bytes = b""
    scale: Scale | None = None
    parted: bool = False  # coded as planes of luma and chroma, see media.chroma
    notes: bytes = b""  # what the planes do not make

    @property
    def coded(self) -> Picture:
        """The shape of the samples that are coded."""
        if not self.parted:
            return self
        return Picture((self.width + 1) // 2 * 2, self.height + (self.height + 1) // 2, 1, self.depth)

    @property
    def row(self) -> int:
        """Samples of a row."""
        return self.width * self.channels

    @property
    def size(self) -> int:
        """Bytes of the picture's samples as files keep them: single bits packed, more than 8 in two bytes."""
        depth = self.file_depth
        return self.height * (-(-self.row // 8) if depth == 1 else self.row * (1 if depth <= 8 else 2))

    @property
    def file_depth(self) -> int:
        """Bits of a sample in the picture's file; where only some of all values occur, they are coded in fewer."""
        return self.scale.depth if self.scale else self.depth

    @property
    def sample_size(self) -> int:
        """Bytes of a sample: 1, or 2 with the high one first."""
        return 1 if self.depth <= 8 else 2


@dataclass(frozen=True)
class Header:
    """What decoding needs to know before the first block."""

    length: int  # symbols of the original
    block_size: int  # symbols of every block but the last, which may have fewer; of a picture, whole rows
    predictor: int = STORED
    model: bytes = b""  # prefix of the model's sha-256, empty if nothing was predicted
    level: int = 0  # which team of experts, if there is one
    picture: Picture | None = None
    beside: bytes = b""  # prefix of the model that does not learn, if it is another than the one that does

    @property
    def media(self) -> int:
        """BYTES or PICTURE."""
        return BYTES if self.picture is None else PICTURE

    @property
    def symbol_size(self) -> int:
        """Bytes of a symbol."""
        return 1 if self.picture is None else self.picture.sample_size

    @property
    def original_bytes(self) -> int:
        """Bytes of all symbols, or of a picture's samples as files keep them."""
        return self.length if self.picture is None else self.picture.size

    @property
    def blocks(self) -> int:
        return -(-self.length // self.block_size)

    def symbols(self, block: int) -> int:
        """Symbols of a block."""
        return min(self.block_size, self.length - block * self.block_size)


@dataclass(frozen=True)
class Block:
    """One sequence of symbols: words of the coder (see ``packed_words``), or the bytes themselves."""

    stored: bool
    payload: bytes
    check: int  # see block_check


@dataclass(frozen=True)
class Member:
    """One compressed original. A file holds one or more, one behind the other."""

    header: Header
    blocks: tuple[Block, ...]
    check: int  # CRC-32 of the original, or the block's own check where there is only one
    size: int  # bytes in the file
    account: Counter[str]  # bytes of each part of the container, payloads excluded


def block_check(original: bytes, payload: bytes) -> int:
    """CRC-32 of a block's original bytes followed by its payload, so that damage to either shows."""
    return zlib.crc32(payload, zlib.crc32(original))


def packed_words(words: np.ndarray, predictor: int) -> bytes:
    """Words (n,) uint32, little-endian; where bits were coded, without the zeros that end the last two.

    Of no more than two, so that the length of a payload still says how many symbols it can hold at most.
    """
    payload = words.astype("<u4").tobytes()
    for _ in range(0 if predictor == NETWORK else 2):
        last = payload[-4:].lstrip(b"\0")  # the low bytes of a word come first
        payload = payload[:-4]
        if last:
            return payload + last
    return payload


def unpacked_words(payload: bytes) -> np.ndarray:
    """The words that ``packed_words`` packed, less any zeros at their end."""
    whole = len(payload) // 4 * 4
    last = payload[whole:].rjust(4, b"\0") if len(payload) > whole else b""
    return np.frombuffer(payload[:whole] + last, "<u4").astype(np.uint32)


def _unit(stored: bool, predictor: int) -> int:
    """What the length of a block's payload is counted in, in bytes."""
    return 4 if predictor == NETWORK and not stored else 1


def _varint(value: int) -> bytes:
    """Seven bits a byte, low ones first; the top bit says that more follow (LEB128)."""
    out = bytearray()
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def pack(header: Header, blocks: Sequence[Block], check: int) -> bytes:
    """One member; ``check`` is the CRC-32 of the original and is written if there are several blocks."""
    several = header.blocks > 1
    flags = _SEVERAL if several else 0
    flags |= (_ROOTED if header.level & ROOTED else 0) | (_BESIDE if header.beside else 0)
    predictor = (header.level & PRESET_BITS) << 2 | header.predictor
    head = MAGIC + bytes([VERSION << 4 | flags, header.media << 4 | predictor]) + header.model
    head += _varint(header.length) if header.picture is None else _shape(header.picture)
    if several:
        head += _varint(header.block_size // (header.picture.coded.row if header.picture else 1))
    parts = [head + _short_check(head) + header.beside + (_sealed(header.picture) if header.picture else b"")]
    for block in blocks:
        units = len(block.payload) // _unit(block.stored, header.predictor)
        parts.append(_varint(units << 1 | block.stored) + block.check.to_bytes(4, "little") + block.payload)
    if several:
        index = b"".join(_varint(len(part)) for part in parts)
        body = check.to_bytes(4, "little") + index
        body += zlib.crc32(body).to_bytes(4, "little")
        parts.append(body + len(body).to_bytes(4, "little"))
    return b"".join(parts)


def _shape(picture: Picture) -> bytes:
    kind = (picture.channels - 1) | (picture.depth - 1) << 2 | (picture.scale is not None) << 6 | picture.parted << 7
    shape = _varint(picture.width) + _varint(picture.height) + bytes([kind])
    if picture.scale is not None:
        scale = picture.scale
        shape += bytes([scale.depth - 1]) + _varint(scale.step) + _varint(scale.offset)
    if picture.parted:
        shape += _varint(len(picture.notes))
    return shape + _varint(len(picture.envelope))


def _sealed(picture: Picture) -> bytes:
    sealed = picture.notes + picture.envelope
    return sealed + zlib.crc32(sealed).to_bytes(4, "little") if sealed else b""


def _short_check(head: bytes) -> bytes:
    return (zlib.crc32(head) & 0xFFFF).to_bytes(2, "little")


class _Cursor:
    """Reads forwards and counts what each part took."""

    def __init__(self, data: memoryview, at: int) -> None:
        self.data, self.start, self.at = data, at, at
        self.account: Counter[str] = Counter()

    def take(self, size: int, what: str) -> bytes:
        if size > len(self.data) - self.at:
            here = len(self.data) - self.at
            raise DamagedError(f"the file is cut off: {what} needs {size} bytes, {here} are left")
        self.at += size
        self.account[what] += size
        return bytes(self.data[self.at - size : self.at])

    def number(self, what: str, limit: int) -> int:
        value = shift = 0
        while True:
            byte = self.take(1, what)[0]
            value |= (byte & 127) << shift
            shift += 7
            if value > limit or (byte == 0 and shift > 7):
                raise DamagedError(f"damaged: {what} is {value}, at most {limit} is possible")
            if byte < 128:
                return value


def _read_header(cursor: _Cursor) -> Header:
    if cursor.take(len(MAGIC), "magic") != MAGIC:
        where = f" at byte {cursor.start}" if cursor.start else ""
        raise DamagedError(f"not an .arc file{where}: it does not begin with the magic bytes 89 41 52 43")
    version, predictor = cursor.take(2, "version, flags, media, predictor")
    model = cursor.take(MODEL_PREFIX, "model identity") if predictor & 3 in (NETWORK, MIXTURE) else b""
    picture, notes_size, envelope_size, length = None, 0, 0, 0
    if predictor >> 4 == PICTURE:
        picture, notes_size, envelope_size = _read_shape(cursor)
        length = picture.coded.row * picture.coded.height
    else:
        length = cursor.number("lengths", MAX_LENGTH)
    several = bool(version & _SEVERAL)
    block_size = max(1, length)
    if several:
        block_size = cursor.number("lengths", MAX_BLOCK) * (picture.coded.row if picture else 1)
    head = bytes(cursor.data[cursor.start : cursor.at])
    if cursor.take(2, "header checksum") != _short_check(head):
        raise DamagedError("the header is damaged: its checksum does not fit")
    if version >> 4 != VERSION:
        raise DamagedError(
            f"format version {version >> 4} is unknown here (known: {VERSION}); a newer arcodec may read it"
        )
    level = predictor >> 2 & PRESET_BITS | (ROOTED if version & _ROOTED else 0)
    kind, media = predictor & 3, predictor >> 4
    unknown = media > PICTURE or level not in LEVELS.get((media, kind), (0,))
    unknown |= bool(version & _BESIDE) and (media, kind, level) != (BYTES, MIXTURE, LEARNING | ROOTED)
    if version & _FLAGS & ~(_SEVERAL | _ROOTED | _BESIDE) or unknown:
        raise DamagedError("the header uses features unknown to this version; a newer arcodec may read it")
    if picture is not None and (kind == NETWORK or (kind == MIXTURE and picture.depth != NETWORK_DEPTH)):
        raise DamagedError("the header uses features unknown to this version; a newer arcodec may read it")
    if block_size == 0 or block_size > MAX_BLOCK or (several and length <= block_size):
        raise DamagedError(f"damaged: {length} symbols in blocks of {block_size}")
    if picture is not None and notes_size + envelope_size:
        notes, envelope = cursor.take(notes_size, "notes on chroma"), cursor.take(envelope_size, "envelope")
        if int.from_bytes(cursor.take(4, "envelope"), "little") != zlib.crc32(notes + envelope):
            raise DamagedError("the picture's envelope is damaged: its checksum does not fit")
        picture = replace(picture, envelope=envelope, notes=notes)
    # Behind the checksum, so that what does not know of it sees a sound header that uses a feature unknown to it.
    beside = cursor.take(MODEL_PREFIX, "model identity") if version & _BESIDE else b""
    if beside and beside == model:
        raise DamagedError("damaged: a network stands beside itself")
    return Header(length, block_size, kind, model, level, picture, beside)


def _read_shape(cursor: _Cursor) -> tuple[Picture, int, int]:
    """A picture without its notes and envelope, and the sizes of these."""
    width, height = cursor.number("lengths", MAX_SIDE), cursor.number("lengths", MAX_SIDE)
    kind = cursor.take(1, "version, flags, media, predictor")[0]
    depth, scale, parted, notes_size = (kind >> 2 & 15) + 1, None, bool(kind >> 7), 0
    sound = width > 0 and height > 0 and not (parted and (kind & 3, depth, kind >> 6 & 1) != (2, 8, 0))
    if kind >> 6 & 1:
        whole = cursor.take(1, "version, flags, media, predictor")[0] + 1
        scale = Scale(whole, cursor.number("lengths", 65535), cursor.number("lengths", 65535))
        sound &= whole <= 16 and scale.step > 0 and scale.step * ((1 << depth) - 1) + scale.offset >> 17 == 0
    if parted:
        notes_size = cursor.number("lengths", MAX_ENVELOPE)
    if not sound:
        raise DamagedError("damaged: the header describes no picture")
    picture = Picture(width, height, (kind & 3) + 1, depth, scale=scale, parted=parted)
    return picture, notes_size, cursor.number("lengths", MAX_ENVELOPE)


def read_header(data: memoryview) -> Header:
    """The header of the first member. Raises DamagedError."""
    return _read_header(_Cursor(data, 0))


def _read_block(cursor: _Cursor, header: Header, number: int) -> Block:
    symbols = header.symbols(number)
    plain = symbols * header.symbol_size
    units = cursor.number("lengths", 2 * plain + 1)
    stored = bool(units & 1)
    size = (units >> 1) * _unit(stored, header.predictor)
    if (size != plain) if stored else (header.predictor == STORED or size >= plain):
        raise DamagedError(f"damaged: block {number} has {size} bytes for {symbols} symbols")
    # Even a certain symbol costs 2**-16 bits: other symbols, or the other value of each bit, keep some of 2**24. A
    # sample of a picture may take a single decision.
    if not stored and symbols > (size + 8) * 8 << (19 if header.picture else 16):
        raise DamagedError(f"damaged: block {number} promises {symbols} symbols in {size} bytes")
    check = int.from_bytes(cursor.take(4, "block checksums"), "little")
    payload = cursor.take(size, "payload")
    return Block(stored, payload, check)


def _read_member(data: memoryview, at: int) -> Member:
    cursor = _Cursor(data, at)
    header = _read_header(cursor)
    if header.blocks > len(data) - at:
        raise DamagedError(f"the file is cut off: {header.blocks} blocks do not fit into {len(data) - at} bytes")
    sizes = [cursor.at - at]
    blocks = []
    for number in range(header.blocks):
        before = cursor.at
        blocks.append(_read_block(cursor, header, number))
        sizes.append(cursor.at - before)
    check = blocks[0].check if blocks else 0
    if header.blocks > 1:
        expected = b"".join(_varint(size) for size in sizes)
        whole = cursor.take(4, "checksum of the whole")
        index = cursor.take(len(expected), "index")
        body_check = cursor.take(4, "index")
        size = int.from_bytes(cursor.take(4, "index"), "little")
        if (
            index != expected
            or size != len(expected) + 8
            or int.from_bytes(body_check, "little") != zlib.crc32(whole + index)
        ):
            raise DamagedError("the index behind the blocks is damaged: it does not fit them")
        check = int.from_bytes(whole, "little")
    del cursor.account["payload"]
    return Member(header, tuple(blocks), check, cursor.at - at, cursor.account)


def members(data: bytes | memoryview) -> Iterator[Member]:
    """The members of a file, in order. Raises DamagedError, also for anything behind the last."""
    view = memoryview(data)
    if not view:
        raise DamagedError("not an .arc file: it is empty")
    at = 0
    while at < len(view):
        member = _read_member(view, at)
        yield member
        at += member.size
