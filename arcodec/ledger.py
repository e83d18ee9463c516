"""Where every bit of a file went. The lines add up to 8 times the file's size, exactly."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

CROSS_ENTROPY = "model cross-entropy"
_GRAIN = 2.0**20  # costs are kept in multiples of 2**-20 bits, so that sums and differences of them are exact


def exact_bits(bits: float) -> float:
    """The nearest multiple of 2**-20 bits; sums of such are exact in float64 up to a gigabyte of file."""
    return round(bits * _GRAIN) / _GRAIN


@dataclass(frozen=True)
class Line:
    """One entry of the account."""

    name: str
    bits: float


@dataclass(frozen=True)
class Rate:
    """Bits per symbol, and half the width of its 99 % interval: 0 where it was summed exactly."""

    value: float
    interval: float = 0.0

    def __str__(self) -> str:
        return f"{self.value:.6f}" + (f" +- {self.interval:.6f} (99 %)" if self.interval else " (exact)")


@dataclass(frozen=True)
class KnownSource:
    """What is known of the symbols that were coded, when their true source is."""

    name: str
    symbols: int  # all of them; those that were stored cost 8 bits each
    information_bits: float  # sum of -log2 p(x)
    entropy_rate: Rate
    excess_rate: Rate | None  # mean of log2 p(x)/q(x): an estimate of the KL rate; None for too few symbols


@dataclass(frozen=True)
class Ledger:
    """The account of one compressed file.

    ``model_bits``: sum of -log2 q(x) over the symbols that were coded, the cross-entropy of the model on this sample.
    ``coded_bits``: sum of -log2(f / 2**24) over the same symbols, what an ideal coder would have taken.
    """

    original_bytes: int
    file_bytes: int
    model_bits: float
    coded_bits: float
    payload_bits: int  # what the coder took
    stored_bits: int  # symbols of blocks nothing could shrink; none of the lines above is of them
    network_bits: float | None = None  # what the network alone would have taken, where it was one of several experts
    experts_bits: dict[str, float] = field(default_factory=dict)  # what each expert would have taken, if asked for
    voices: dict[str, float] = field(
        default_factory=dict
    )  # of all that experts added to the mixture, the share of each
    container_bytes: Counter[str] = field(default_factory=Counter)
    predictor: str = ""  # what predicted: network, experts, both, or nothing
    model_names: tuple[str, ...] = ()  # of the network and, if there is one, of that beside it
    base_names: tuple[str, ...] = ()  # the models whose tables they use
    model_size_bytes: int = 0  # of their files: side information, never part of the account
    source: KnownSource | None = None
    coded_share: float = 1.0  # of the symbols, those that were not stored
    dimensions: int = 0  # samples of a picture; 0 for bytes
    channels_bits: dict[str, float] = field(default_factory=dict)  # what each channel of a picture took, if asked for

    @property
    def lines(self) -> list[Line]:
        """What adds up to the file: model (in two parts if the source is known), rounding, coder, container."""
        model = [Line(CROSS_ENTROPY, self.model_bits)]
        if self.source is not None:
            information = self.source.information_bits
            model = [Line("information under the source", information)]
            model.append(Line("excess of the model over it", self.model_bits + self.stored_bits - information))
        lines = [
            *model,
            Line("rounding to frequencies", self.coded_bits - self.model_bits),
            Line("coder: end and inefficiency", self.payload_bits - self.coded_bits),
        ]
        if self.stored_bits and self.source is None:
            lines.append(Line("stored without coding", self.stored_bits))
        lines += [Line(f"container: {name}", 8 * size) for name, size in self.container_bytes.items() if size]
        return lines

    @property
    def unexplained_bits(self) -> float:
        """8 times the file's size less all lines: zero, or the account is wrong."""
        return 8 * self.file_bytes - sum(line.bits for line in self.lines)

    @property
    def alone_bits(self) -> dict[str, float]:
        """What each expert, the network among them, would have taken alone; the best first."""
        network = {} if self.network_bits is None else {"network": self.network_bits}
        return dict(sorted({**self.experts_bits, **network}.items(), key=lambda item: item[1]))

    @property
    def regret_bits(self) -> float | None:
        """What the mixture took beyond the best expert in hindsight, mostly negative; None if there was only one."""
        alone = self.alone_bits
        return self.model_bits - min(alone.values()) if len(alone) > 1 else None

    @property
    def bpb(self) -> float:
        """Bits of file for each byte of the original; 0 for an empty original."""
        return 8 * self.file_bytes / self.original_bytes if self.original_bytes else 0.0

    @property
    def bpd(self) -> float:
        """Bits of file for each dimension of a picture, a sample of a channel; 0 for bytes."""
        return 8 * self.file_bytes / self.dimensions if self.dimensions else 0.0

    def as_dict(self) -> dict[str, Any]:
        """JSON-able: every figure with its unit in its name."""
        return {
            "original_bytes": self.original_bytes,
            "file_bytes": self.file_bytes,
            "bits_per_byte": self.bpb,
            "dimensions": self.dimensions,
            "bits_per_dimension": self.bpd if self.dimensions else None,
            "lines_bits": {line.name: line.bits for line in self.lines},
            "unexplained_bits": self.unexplained_bits,
            "cross_entropy_bits": self.model_bits,
            "source": None if self.source is None else dataclasses.asdict(self.source),
            "network_alone_bits": self.network_bits,
            "experts_alone_bits": self.experts_bits,
            "experts_shares": self.voices,
            "channels_bits": self.channels_bits,
            "mixture_regret_bits": self.regret_bits,
            "predictor": self.predictor,
            "model": self.model_names[0] if self.model_names else "",
            "beside": self.model_names[1] if len(self.model_names) > 1 else None,
            "bases": list(self.base_names),
            "model_file_bytes": self.model_size_bytes,
        }

    def table(self) -> str:
        """The account as text, a line an entry: bits, bytes, bits per byte (or dimension), per cent of the file."""
        rows = [*self.lines, Line("= file", 8 * self.file_bytes)]
        width = max(len(line.name) for line in rows)
        units, unit = (self.dimensions, "bits/dim") if self.dimensions else (self.original_bytes, "bits/byte")
        out = [f"{'':{width}}  {'bits':>15}  {'bytes':>12}  {unit:>9}  {'%':>7}"]
        for line in rows:
            per_byte = line.bits / units if units else 0.0
            percent = 100 * line.bits / (8 * self.file_bytes)
            out.append(
                f"{line.name:{width}}  {line.bits:15,.1f}  {line.bits / 8:12,.1f}  {per_byte:9.4f}  {percent:7.3f}"
            )
        out.append(f"{'unexplained':{width}}  {self.unexplained_bits:15,.1f}")
        if self.source is not None:
            out += self.about_source(self.source)
        each = max(1, self.dimensions // max(1, len(self.channels_bits)))
        for name, bits in self.channels_bits.items():
            out.append(f"{name}: {bits:,.1f} bits, {bits / each:.4f} bits/dim")
        if self.network_bits is not None:
            change = 100 * (self.model_bits / self.network_bits - 1)
            which = f"the network {self.model_names[0]}" if len(self.model_names) > 1 else "the network"
            out.append(f"{which} alone: {self.network_bits:,.1f} bits; mixed with experts {change:+.1f} %")
        if self.experts_bits:
            out += self._experts()
        if self.model_names:
            models = f"the model{'s' * (len(self.model_names) > 1)} {' and '.join(self.model_names)}"
            tables = f" with the tables of {' and '.join(self.base_names)}" if self.base_names else ""
            out.append(f"not in the file: {models}{tables}, {8 * self.model_size_bytes:,} bits")
        return "\n".join(out)

    def _experts(self) -> list[str]:
        """A line for each expert and the mixture's regret. A share is of the sum of |nats| added to the mixture."""
        length = (self.dimensions or self.original_bytes) * self.coded_share
        unit = "bits/dim" if self.dimensions else "bits/byte"
        width = max(len(name) for name in self.alone_bits)
        lines = [f"{'each expert alone':{width}}  {'bits':>15}  {unit:>9}  {'share, %':>8}"]
        lines.append(f"{'the mixture':{width}}  {self.model_bits:15,.1f}  {self.model_bits / length:9.4f}  {100:8.1f}")
        for name, bits in self.alone_bits.items():
            share = 100 * self.voices.get(name, 0.0)
            lines.append(f"{name:{width}}  {bits:15,.1f}  {bits / length:9.4f}  {share:8.1f}")
        best = next(iter(self.alone_bits))
        lines.append(f"regret of the mixture against the best of them, {best}: {self.regret_bits:,.1f} bits")
        return lines

    def about_source(self, source: KnownSource) -> list[str]:
        """What is expected of the first two lines."""
        count = max(1, source.symbols)
        lines = [
            f"the first two lines are the model's cross-entropy, {self.model_bits:,.1f} bits"
            + (f", and {self.stored_bits:,} bits that were stored" if self.stored_bits else ""),
            f"source {source.name}: entropy rate {source.entropy_rate} bits/symbol, so {source.symbols:,} symbols "
            f"expect {source.entropy_rate.value * source.symbols:,.1f} bits; they had {source.information_bits:,.1f}",
        ]
        if source.excess_rate is not None:
            lines.append(f"excess per symbol, an estimate of KL(source || model): {source.excess_rate} bits/symbol")
        else:
            excess = self.model_bits + self.stored_bits - source.information_bits
            lines.append(f"excess per symbol: {excess / count:.6f} bits/symbol")
        return lines


def compared(ledgers: Mapping[str, Ledger], reference: str) -> str:
    """Several accounts of the same original beside each other, in bits, a column each.

    The last line is each column's cross-entropy less the reference's, for each byte: on real data the source's entropy
    is unknown but the same for all, so a difference of cross-entropies is a difference of KL divergences.
    """
    names = list(dict.fromkeys(line.name for ledger in ledgers.values() for line in ledger.lines))
    rows = [(name, [_bits_of(ledger, name) for ledger in ledgers.values()]) for name in names]
    rows.append(("= file", [8.0 * ledger.file_bytes for ledger in ledgers.values()]))
    rows.append(("unexplained", [ledger.unexplained_bits for ledger in ledgers.values()]))
    rows.append(("not in the file: the model", [8.0 * x.model_size_bytes for x in ledgers.values()]))
    unit = "dimension" if ledgers[reference].dimensions else "byte"
    last = f"KL less that of {reference}, bits/{unit}"
    wide = max(len(last), *(len(name) for name, _ in rows))
    widths = [max(15, len(name)) for name in ledgers]
    out = [" " * wide + "".join(f"  {name:>{w}}" for name, w in zip(ledgers, widths, strict=True))]
    for name, figures in rows:
        out.append(f"{name:{wide}}" + "".join(f"  {figure:{w},.1f}" for figure, w in zip(figures, widths, strict=True)))
    if len({(ledger.original_bytes, ledger.dimensions) for ledger in ledgers.values()}) == 1:  # of the same symbols
        differences = [differences_of_kl(ledgers, reference)[name] for name in ledgers]
        out.append(f"{last:{wide}}" + "".join(f"  {d:+{w}.4f}" for d, w in zip(differences, widths, strict=True)))
    for name, ledger in ledgers.items():
        if ledger.source is not None:
            out += [f"{name}:", *(f"  {line}" for line in ledger.about_source(ledger.source))]
    return "\n".join(out)


def differences_of_kl(ledgers: Mapping[str, Ledger], reference: str) -> dict[str, float]:
    """Cross-entropy less the reference's, stored blocks as they are; bits per byte, or dimension, of the original."""
    zero = ledgers[reference]
    units = max(1, zero.dimensions or zero.original_bytes)
    return {
        name: (x.model_bits + x.stored_bits - zero.model_bits - zero.stored_bits) / units for name, x in ledgers.items()
    }


def _bits_of(ledger: Ledger, name: str) -> float:
    return sum(line.bits for line in ledger.lines if line.name == name)
