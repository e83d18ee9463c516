"""Codes from Morse's to ANS: what a symbol costs, in bytes, and what a wrong table costs."""

from __future__ import annotations

import heapq
import string
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np

from .. import texts
from ..errors import ArcodecError
from ..sources import GERMAN, bernoulli, language
from . import coded
from .experiment import Check, Curve, Plot, Result, Table

THEORY = (
    "No code that can be decoded takes fewer than H(p) bits a symbol on average; whole code words lose up to one bit "
    "each, arithmetic coding and ANS lose next to nothing, and a code made for q instead of p pays KL(p||q) more."
)
_MARKS = ".- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- ...- .-- -..- -.-- --.."
_MORSE = dict(zip(string.ascii_lowercase, _MARKS.split(), strict=True))


def morse(text: str) -> str:
    """On and off, a digit a unit of time: dot 1, dash 111, gaps of 1 in a letter, 3 between letters, 7 of words."""
    words = (
        "000".join("0".join("1" if mark == "." else "111" for mark in _MORSE[letter]) for letter in word)
        for word in text.split()
    )
    return "0000000".join(words)


def unmorse(signal: str) -> str:
    """The text that ``morse`` turned into on and off."""
    letters = {marks: letter for letter, marks in _MORSE.items()}
    words = (
        [[len(on) for on in letter.split("0")] for letter in word.split("000")] for word in signal.split("0000000")
    )
    return " ".join("".join(letters["".join(".-"[on > 1] for on in marks)] for marks in word) for word in words)


def huffman(weights: Mapping[str, float]) -> dict[str, str]:
    """A prefix code of least mean length (Huffman 1952): symbol -> digits."""
    heap: list[tuple[float, int, tuple[str, ...]]] = [
        (weight, number, (symbol,)) for number, (symbol, weight) in enumerate(sorted(weights.items()))
    ]
    heapq.heapify(heap)
    code = dict.fromkeys(weights, "")
    number = len(heap)
    while len(heap) > 1:
        (light, _, zeros), (heavy, _, ones) = heapq.heappop(heap), heapq.heappop(heap)
        for digit, symbols in (("0", zeros), ("1", ones)):
            for symbol in symbols:
                code[symbol] = digit + code[symbol]
        heapq.heappush(heap, (light + heavy, number, zeros + ones))
        number += 1
    return code


def prefix_coded(symbols: Sequence[str], code: Mapping[str, str]) -> int:
    """Bits of the symbols in a prefix code, after packing into bytes, decoding and comparing."""
    digits = "".join(code[symbol] for symbol in symbols)
    packed = int("1" + digits, 2).to_bytes(len(digits) // 8 + 1, "big")
    back, meaning, word = [], {word: symbol for symbol, word in code.items()}, ""
    for digit in bin(int.from_bytes(packed, "big"))[3:]:
        word += digit
        if word in meaning:
            back.append(meaning[word])
            word = ""
    if back != list(symbols):
        raise ArcodecError("a prefix code did not give back what it coded")
    return len(digits)


def _in_blocks(text: str, size: int) -> list[str]:
    return [text[i : i + size] for i in range(0, len(text), size)]


def run(seed: int, quick: bool) -> Result:
    """See ``Experiment``."""
    count = 12_000 if quick else 120_000
    text = texts.letters_only(texts.manual())[:count].decode().strip()
    return _joined(_on_text(text), _on_bits(bernoulli(0.05).sample(count, seed)))


def _on_text(text: str) -> tuple[Table, list[Check], Plot]:
    counts = Counter(text)
    symbols = np.frombuffer(text.encode(), np.uint8)
    own = np.array([counts[chr(i)] for i in range(128)]) / len(text)
    german = language(GERMAN).table[0]
    entropy, n = -sum(p * np.log2(p) for p in own if p), len(text)
    used = own > 0
    kl = float((own[used] * np.log2(own[used] / german[used])).sum())
    signal = morse(text)
    if unmorse(signal) != text:
        raise ArcodecError("Morse's code did not give back what it coded")
    pairs = _in_blocks(text, 2)
    in_pairs = np.array(list(Counter(pairs).values())) / len(pairs)
    paired = float(-(in_pairs * np.log2(in_pairs)).sum()) / 2
    shares = {chr(i): p for i, p in enumerate(german) if p or counts[chr(i)]}
    bits = {
        "Morse, on and off with its gaps": len(signal),
        "five bits a letter": 5 * n,
        "Huffman, German letters": prefix_coded(text, huffman(shares)),
        "Huffman": prefix_coded(text, huffman(counts)),
        "Huffman, pairs of letters": prefix_coded(pairs, huffman(Counter(pairs))),
        "range coder, German letters": coded.order_0(symbols, german),
        "range coder": coded.order_0(symbols, own),
        "ANS": coded.order_0(symbols, own, "ans"),
    }
    rows = [(name, -(-b // 8), b / n, b / n - entropy) for name, b in bits.items()]
    caption = f"{n:,} letters and spaces of Python's manual; entropy of its letter frequencies {entropy:.4f} bits, "
    caption += f"of pairs {paired:.4f} a letter; tables are not counted"
    table = Table(caption, ("code", "bytes", "bits/letter", "above that entropy"), rows)
    wrong = bits["range coder, German letters"] - bits["range coder"]
    checks = [
        Check("Huffman's code takes between H and H + 1 bits a letter", entropy <= bits["Huffman"] / n < entropy + 1),
        Check(
            "range coder and ANS take H, to 0.01 % and 64 bits",
            all(abs(bits[c] - n * entropy) <= coded.allowed(n * entropy) for c in ("range coder", "ANS")),
        ),
        Check(
            f"the wrong table costs its KL divergence ({kl:.4f} bits a letter)",
            abs(wrong - n * kl) <= 2 * coded.allowed(n * (entropy + kl)),
        ),
        Check(
            "Huffman's code of pairs takes no fewer than the entropy of pairs",
            paired <= bits["Huffman, pairs of letters"] / n < paired + 0.5,
        ),
        Check("Morse's code, gaps and all, is the longest", max(bits, key=bits.__getitem__).startswith("Morse")),
    ]
    names = list(bits)
    plot = Plot(
        "What a letter costs",
        "code, in the table's order",
        "bits/letter",
        (
            Curve("measured", range(1, len(names) + 1), [bits[name] / n for name in names], line=False),
            Curve("entropy", (1, len(names)), (entropy, entropy)),
        ),
    )
    return table, checks, plot


def _on_bits(symbols: np.ndarray) -> tuple[Table, list[Check], Plot]:
    n, share = len(symbols), float(symbols.mean())
    entropy = -share * np.log2(share) - (1 - share) * np.log2(1 - share)
    text = "".join(map(str, symbols.tolist()))
    text = text[: n // 8 * 8]
    rows: list[tuple[str | float, ...]] = []
    per_symbol = {}
    for size in (1, 2, 4, 8):
        blocks = ("".join(digits) for digits in product("01", repeat=size))
        code = huffman({b: share ** b.count("1") * (1 - share) ** b.count("0") for b in blocks})
        per_symbol[size] = prefix_coded(_in_blocks(text, size), code) / len(text)
        rows.append((f"Huffman, blocks of {size}", -(-round(per_symbol[size] * len(text)) // 8), per_symbol[size]))
    table = np.array([1 - share, share])
    arithmetic = {name: coded.order_0(symbols, table, name) for name in ("range", "ans")}
    rows += [(f"{name} coder", bits // 8, bits / n) for name, bits in arithmetic.items()]
    checks = [
        Check("alone, a bit of a skewed source costs Huffman's code one bit", per_symbol[1] == 1),
        Check(
            "longer blocks come nearer to the entropy, to within 1 / size",
            all(entropy - 0.02 < per_symbol[size] < entropy + 1 / size + 0.02 for size in per_symbol)
            and per_symbol[8] < per_symbol[4] < per_symbol[2],
        ),
        Check(
            "range coder and ANS take the entropy of a bit",
            all(abs(bits - n * entropy) <= coded.allowed(n * entropy) for bits in arithmetic.values()),
        ),
    ]
    caption = f"{n:,} bits, a share of {share:.4f} of them 1; entropy {entropy:.4f} bits"
    plot = Plot(
        "Blocks of a skewed bit",
        "bits a block",
        "bits/bit",
        (
            Curve("Huffman", list(per_symbol), list(per_symbol.values())),
            Curve("entropy", (1, 8), (entropy, entropy)),
            Curve("entropy + 1 / size", list(per_symbol), [entropy + 1 / size for size in per_symbol]),
        ),
    )
    return Table(caption, ("code", "bytes", "bits/bit"), rows), checks, plot


def _joined(*parts: tuple[Table, list[Check], Plot]) -> Result:
    tables, checks, plots = zip(*parts, strict=True)
    return Result(THEORY, tables, plots, [check for some in checks for check in some])
