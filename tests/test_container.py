from __future__ import annotations

import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcodec import container as c
from arcodec.errors import DamagedError

ORIGINAL = b"hello, container " * 3


def one_block() -> bytes:
    header = c.Header(len(ORIGINAL), len(ORIGINAL))
    return c.pack(header, [c.Block(True, ORIGINAL, c.block_check(ORIGINAL, ORIGINAL))], zlib.crc32(ORIGINAL))


def three_blocks() -> bytes:
    header = c.Header(len(ORIGINAL), 20, c.NETWORK, b"\1\2\3\4")
    parts = [ORIGINAL[i : i + 20] for i in range(0, len(ORIGINAL), 20)]
    blocks = [c.Block(True, part, c.block_check(part, part)) for part in parts[:2]]
    blocks.append(c.Block(False, b"12345678", c.block_check(parts[2], b"12345678")))
    return c.pack(header, blocks, zlib.crc32(ORIGINAL))


def test_one_block_by_hand() -> None:
    header = b"\x89ARC\x10\x00" + bytes([51])
    check = (zlib.crc32(header) & 0xFFFF).to_bytes(2, "little")
    block_check = zlib.crc32(ORIGINAL + ORIGINAL).to_bytes(4, "little")
    assert one_block() == header + check + bytes([51 << 1 | 1]) + block_check + ORIGINAL


def test_several_blocks_by_hand() -> None:
    header = b"\x89ARC\x11\x01\1\2\3\4" + bytes([51, 20])
    data = three_blocks()
    assert data.startswith(header)
    index = zlib.crc32(ORIGINAL).to_bytes(4, "little") + bytes([len(header) + 2, 25, 25, 13])
    index += zlib.crc32(index).to_bytes(4, "little")
    assert data.endswith(index + len(index).to_bytes(4, "little"))
    assert data[len(header) + 2 + 50] == 2 << 1  # two words, not stored


@pytest.mark.parametrize("content", [one_block(), three_blocks(), one_block() + three_blocks()])
def test_reading_gives_what_was_packed_and_accounts_for_every_byte(content: bytes) -> None:
    members = list(c.members(content))
    assert sum(member.size for member in members) == len(content)
    for member in members:
        payload = sum(len(block.payload) for block in member.blocks)
        assert member.size == payload + sum(member.account.values())
    repacked = b"".join(c.pack(m.header, m.blocks, m.check) for m in members)
    assert repacked == content


@given(st.integers(0, c.MAX_LENGTH), st.integers(1, c.MAX_BLOCK))
def test_header_round_trip(length: int, block_size: int) -> None:
    several = length > block_size
    header = c.Header(length, block_size if several else max(1, length), c.NETWORK, b"abcd")
    head = c.pack(header, [], 0)[:40]
    assert c.read_header(memoryview(head)) == header


def test_a_second_model_by_hand() -> None:
    header = c.Header(3, 3, c.MIXTURE, b"\1\2\3\4", c.LEARNING | c.ROOTED, beside=b"\5\6\7\x08")
    content = c.pack(header, [], 0)
    assert content == head(0x16, 0x0F, b"\1\2\3\4\3") + b"\5\6\7\x08"  # a sound header before it
    assert c.read_header(memoryview(content)) == header
    for end in range(len(content)):
        with pytest.raises(DamagedError):
            c.read_header(memoryview(content[:end]))


@pytest.mark.parametrize("content", [one_block(), three_blocks()])
def test_any_truncation_is_an_error(content: bytes) -> None:
    for end in range(len(content)):
        with pytest.raises(DamagedError):
            list(c.members(content[:end]))


@pytest.mark.parametrize("content", [one_block(), three_blocks()])
@pytest.mark.parametrize("tail", [b"\0", b"x" * 100, b"\x89ARC"])
def test_anything_behind_the_end_is_an_error(content: bytes, tail: bytes) -> None:
    with pytest.raises(DamagedError):
        list(c.members(content + tail))


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_an_error_or_members(noise: bytes) -> None:
    for start in (b"", b"\x89ARC", b"\x89ARC\x11\x01abcd"):
        try:
            members = list(c.members(start + noise))
        except DamagedError:
            continue
        assert sum(member.size for member in members) == len(start + noise)


def head(version: int, kind: int, rest: bytes) -> bytes:
    content = b"\x89ARC" + bytes([version, kind]) + rest
    return content + (zlib.crc32(content) & 0xFFFF).to_bytes(2, "little")


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "empty"),
        (b"PK\3\4 and so on", "magic"),
        (head(0x20, 0, b"\0"), "version 2"),
        (head(0x14, 0, b"\0"), "unknown to this version"),  # a second model where there is no first
        (head(0x16, 0x0B, b"abcd\0"), "unknown to this version"),  # or none that learns
        (head(0x14, 0x0F, b"abcd\0"), "unknown to this version"),  # or the mixer has no roots
        (head(0x14, 0x1F, b"abcd\5\5\x1c\0"), "unknown to this version"),  # or in pictures
        (head(0x16, 0x0F, b"abcd\3") + b"abcd", "beside itself"),
        (head(0x18, 0, b"\0"), "unknown to this version"),
        (head(0x12, 0, b"\0"), "unknown to this version"),  # roots where there are no experts
        (head(0x12, 0x01, b"abcd\0"), "unknown to this version"),
        (head(0x12, 0x02, b"\0"), "unknown to this version"),  # fast experts with roots
        (head(0x12, 0x03, b"abcd\0"), "unknown to this version"),
        (head(0x12, 0x0E, b"\0"), "unknown to this version"),  # a network that learns where there is none
        (head(0x12, 0x16, b"\5\5\x1c\0"), "unknown to this version"),  # roots in pictures
        (head(0x10, 0x20, b"\0"), "unknown to this version"),
        (head(0x10, 0x10, b"\0\5\0\0"), "no picture"),
        (head(0x10, 0x10, b"\5\5\x80\0"), "no picture"),
        (head(0x10, 0x10, b"\5\5\x40\x1f\1\0\0"), "no picture"),  # of 32 bits
        (head(0x10, 0x04, b"\0"), "unknown to this version"),  # experts where there are none
        (head(0x10, 0x0E, b"\0"), "unknown to this version"),  # a fourth team of them
        (head(0x10, 0, b"\x80\0"), "lengths"),  # not the shortest way to write 0
        (head(0x10, 0, b"\xff" * 9 + b"\1"), "lengths"),
        (head(0x11, 0, b"\x05\x00"), "blocks of 0"),
        (head(0x11, 0, b"\x05\x05"), "blocks of 5"),
        (head(0x11, 0, b"\xff\xff\xff\xff\xff\x01\x01"), "do not fit"),
        (head(0x10, 0, b"\x05") + b"\x08", "5 symbols"),  # a coded block where nothing was predicted
        (head(0x11, 1, b"abcd\xff\xff\xff\x07\x80\x80\x80\x04") + b"\x00" * 100, "promises"),
    ],
)
def test_impossible_headers(content: bytes, what: str) -> None:
    with pytest.raises(DamagedError, match=what):
        list(c.members(content))


@given(st.lists(st.sampled_from([0, 1, 0x80000000, 0x12000000, 0x00340000]), max_size=6), st.integers(1, 3))
def test_words_are_packed_and_unpacked(values: list[int], predictor: int) -> None:
    words = np.array(values, np.uint32)
    payload = c.packed_words(words, predictor)
    back = c.unpacked_words(payload)
    assert np.array_equal(back, words[: len(back)])
    assert not words[len(back) :].any()
    assert len(payload) == 4 * len(words) if predictor == c.NETWORK else len(payload) >= 4 * len(words) - 8
