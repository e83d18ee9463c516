from __future__ import annotations

import json
import random

import pytest

import arcodec
from arcodec import codec
from arcodec.coding import CODERS
from arcodec.models import store
from arcodec.models.file import Model

INPUTS = {
    "empty": b"",
    "one byte": b"x",
    "text": b"There is a part of the bill that nobody could have avoided. " * 30,
    "all values": bytes(range(256)),
    "random": random.Random(2).randbytes(3000),
    "half": b"some letters come up again " * 44 + random.Random(3).randbytes(1200),
}


@pytest.mark.parametrize("name", sorted(INPUTS))
@pytest.mark.parametrize("block_size", [None, 500])
def test_the_lines_add_up_exactly(small_model: Model, name: str, block_size: int | None) -> None:
    done = codec.measured(INPUTS[name], str(small_model.path), block_size=block_size)
    ledger = done.ledger
    assert sum(line.bits for line in ledger.lines) == 8 * len(done.data) == 8 * ledger.file_bytes
    assert ledger.unexplained_bits == 0
    assert json.loads(json.dumps(ledger.as_dict()))["unexplained_bits"] == 0


def test_the_lines_are_what_they_say(small_model: Model) -> None:
    """Against the frequencies themselves and constriction's words."""
    import numpy as np

    from arcodec.frequencies import coded_bits

    data = INPUTS["text"]
    symbols = np.frombuffer(data, np.uint8)
    frequencies = store.engine_for(small_model).frequencies(symbols)
    ledger = arcodec.measure(data, str(small_model.path), mix=False)
    assert ledger.coded_bits == pytest.approx(coded_bits(frequencies, symbols).sum(), abs=1e-4)
    assert ledger.payload_bits == 32 * len(CODERS["range"].encode(symbols, frequencies))
    coder = ledger.payload_bits - ledger.coded_bits
    assert 0 < coder < 64 + 1e-4 * ledger.coded_bits
    assert abs(ledger.coded_bits - ledger.model_bits) < 64 + 2e-4 * ledger.model_bits


def test_a_mixture_is_accounted_for_and_beats_its_network(small_model: Model) -> None:
    data = INPUTS["text"]
    alone, mixed = (arcodec.measure(data, str(small_model.path), mix=mix) for mix in (False, True))
    assert mixed.network_bits == pytest.approx(alone.model_bits, abs=0.01)
    assert mixed.model_bits == mixed.coded_bits < alone.model_bits
    # The number chosen from the last interval ends in zeros that are not kept, so a few bits less than ideal may do.
    assert -16 < mixed.payload_bits - mixed.coded_bits < 64 + 2e-4 * mixed.coded_bits
    assert set(mixed.voices) == set(mixed.alone_bits)
    assert sum(mixed.voices.values()) == pytest.approx(1)
    assert all(0 <= share < 1 for share in mixed.voices.values())
    best = min(mixed.alone_bits, key=mixed.alone_bits.__getitem__)
    assert f"of the mixture against the best of them, {best}: {mixed.regret_bits:,.1f} bits" in mixed.table()


def test_the_network_beside_one_that_learns_is_an_expert_of_its_own(small_models: dict[str, Model]) -> None:
    data, model = INPUTS["text"], str(small_models["recurrent"].path)
    alone, best = arcodec.measure(data, model, mix=False), arcodec.measure(data, model, preset="best")
    assert best.experts_bits["network beside it"] == pytest.approx(alone.model_bits, abs=0.01)
    assert best.network_bits != pytest.approx(alone.model_bits, abs=0.01)  # it learns
    assert set(best.voices) == set(best.alone_bits)
    assert sum(best.voices.values()) == pytest.approx(1)
    assert best.voices["network beside it"] > 0
    without = arcodec.measure(data, "none", preset="best")
    assert not {"network", "network beside it"} & set(without.voices)
    assert set(without.voices) == set(without.alone_bits)


def test_each_expert_is_accounted_for(small_model: Model) -> None:
    ledger = arcodec.measure(INPUTS["text"], str(small_model.path))
    alone = ledger.alone_bits
    assert {"network", "order 2", "word", "match"} <= set(alone)
    assert list(alone.values()) == sorted(alone.values())
    assert ledger.regret_bits == ledger.model_bits - min(alone.values())
    assert ledger.as_dict()["mixture_regret_bits"] == ledger.regret_bits
    for name in alone:
        assert f"\n{name} " in ledger.table()
    assert ledger.unexplained_bits == 0
    quiet = arcodec.codec.measured(INPUTS["text"], str(small_model.path)).ledger
    assert (quiet.experts_bits, quiet.model_bits) == ({}, ledger.model_bits)


def test_the_table_names_every_line(small_model: Model) -> None:
    ledger = arcodec.measure(INPUTS["half"], str(small_model.path), mix=False, block_size=600)
    table = ledger.table()
    for line in ledger.lines:
        assert line.name in table
    assert "stored without coding" in table
    assert "unexplained" in table
    assert small_model.name in table


def test_bits_per_byte_of_nothing() -> None:
    assert arcodec.measure(b"", "none").bpb == 0.0
    assert "= file" in arcodec.measure(b"", "none").table()
