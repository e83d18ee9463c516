from __future__ import annotations

import itertools
import json
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcodec import lab
from arcodec.coding import CODERS
from arcodec.errors import ArcodecError, UsageError
from arcodec.lab import capacity, chain, classify, coded, codes, digits, documents, families, mle, modes, sampling
from arcodec.report import experiments
from arcodec.sources import Chain, HiddenMarkov, bernoulli, image, random_chain


@pytest.mark.parametrize("name", lab.NAMES)
def test_the_theory_holds_on_what_was_measured(name: str) -> None:
    result = lab.run(name, quick=True)
    assert [check.statement for check in result.checks if not check.holds] == []
    assert result.checks
    assert result.tables
    assert result.plots
    json.dumps(result.as_dict())
    assert result.theory in experiments.as_text(name, result)


@pytest.mark.parametrize("name", ["codes", "kl"])
def test_the_same_seed_gives_the_same_figures(name: str) -> None:
    assert lab.run(name, 3, quick=True) == lab.run(name, 3, quick=True)


def test_an_unknown_experiment() -> None:
    with pytest.raises(UsageError, match="no experiment 'alchemy': there are codes"):
        lab.run("alchemy")


@given(st.lists(st.text("abcdefghijklmnopqrstuvwxyz", min_size=1), min_size=1))
def test_morse_comes_back(words: list[str]) -> None:
    text = " ".join(words)
    assert codes.unmorse(codes.morse(text)) == text


@given(st.dictionaries(st.characters(), st.integers(1, 1000), min_size=2, max_size=20))
def test_huffman_is_a_full_prefix_code_within_a_bit_of_the_entropy(weights: dict[str, int]) -> None:
    code = codes.huffman(weights)
    assert sum(2.0 ** -len(word) for word in code.values()) == 1
    assert not any(b.startswith(a) for a, b in itertools.permutations(code.values(), 2))
    p = np.array(list(weights.values())) / sum(weights.values())
    length = sum(share * len(code[symbol]) for share, symbol in zip(p, weights, strict=True))
    entropy = float(-(p * np.log2(p)).sum())
    assert entropy - 1e-9 <= length < entropy + 1


def test_what_does_not_come_back_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ArcodecError, match="did not give back"):
        codes.prefix_coded("ab", {"a": "0", "b": "01"})
    monkeypatch.setitem(coded.CODERS, "range", CODERS["ans"].__class__())
    monkeypatch.setattr(CODERS["range"], "encode", lambda symbols, frequencies: np.arange(1, 9, dtype=np.uint32))
    with pytest.raises(ArcodecError, match="do not decode"):
        coded.order_0(np.zeros(50, np.uint8), np.array([0.5, 0.5]))


@pytest.mark.parametrize("coder", ["range", "ans"])
@pytest.mark.parametrize("model", [bernoulli(0.2), random_chain(2, 4, 0.5, 1), image(16, 20, 1.0)])
def test_words_are_as_long_as_the_information(model: Chain, coder: str) -> None:
    symbols = model.sample(3000, 4)
    information = float(model.information(symbols).sum())
    assert -32 < coded.bits_under(symbols, model, coder) - information <= coded.allowed(information) + 1


def test_the_coder_of_bits_adds_next_to_nothing() -> None:
    symbols = bernoulli(0.2).sample(30_000, 4)
    table, contexts = coded.tables_of(bernoulli(0.2), symbols)
    ideal = coded.ideal_bits(symbols, table, contexts, "bits")
    assert -32 < coded.bits_with(symbols, table, contexts, "bits") - ideal < 65


def test_a_hidden_source_has_no_table() -> None:
    hidden = HiddenMarkov(np.eye(2) * 0.8 + 0.1, np.array([[0.9, 0.1], [0.2, 0.8]]))
    with pytest.raises(TypeError, match="HiddenMarkov"):
        coded.bits_under(np.zeros(5, np.uint8), hidden)


def test_a_joint_table_sums_to_one_and_parts_in_any_order() -> None:
    table = chain.joint(random_chain(1, 3, 1.0, 2), 4)
    assert table.sum() == pytest.approx(1)
    symbols = np.array([2, 0, 1, 1])
    for order in itertools.permutations(range(4)):
        product, row = 1.0, 0
        for place, rows in zip(order, chain.conditionals(table, order), strict=True):
            assert rows.sum(1) == pytest.approx(1)
            product *= rows[row, symbols[place]]
            row = row * 3 + symbols[place]
        assert product == pytest.approx(table[2, 0, 1, 1])
    other = table**2 / (table**2).sum()  # another joint table, whose conditional ones are others
    forwards = (0, 1, 2, 3)
    assert not np.allclose(chain.conditionals(other, forwards)[3], chain.conditionals(table, forwards)[3])


def test_the_likelihood_of_tosses() -> None:
    assert mle.likelihood("HHT", np.array([0.5, 1.0])).tolist() == [0.125, 0.0]


def test_a_fit_to_a_gaussian_finds_it() -> None:
    x = np.arange(256)
    p = np.exp(-0.5 * ((x - 100) / 12) ** 2)
    q = modes.fit(p / p.sum(), 1, reverse=False, steps=300)
    assert (x * q).sum() == pytest.approx(100, abs=0.5)


@pytest.mark.parametrize("gap", [1, 5])
def test_copies_are_copies(gap: int) -> None:
    symbols = families.copy_task(gap, 20_000, 3)
    same = float((symbols[gap:] == symbols[:-gap]).mean())
    assert same == pytest.approx(0.925, abs=0.01)  # 0.9, and a quarter of the tenth by chance


def test_two_part_codes_pay_for_every_parameter() -> None:
    symbols = bernoulli(0.3).sample(1024, 1)
    assert capacity.two_part(symbols, 0, 2)[0] == 5
    assert capacity.two_part(symbols, 3, 2)[0] == 8 * 5


def test_logistic_regression_cannot_learn_parity_and_a_layer_can() -> None:
    contexts = np.arange(64)
    parity = (contexts & 1) ^ (contexts >> 1 & 1)
    counts = np.stack([parity == 0, parity == 1], 1) * 100.0
    assert capacity.learned(counts, 6, 0, 200)[:, 1].std() < 0.01
    assert capacity.learned(counts, 6, 8, 400)[parity == 1, 1].min() > 0.9


def test_tosses_decode_to_the_models_shares() -> None:
    seen = Counter(sampling.of_chain(bernoulli(0.2), 20_000, 5).tolist())
    assert seen[1] / 20_000 == pytest.approx(0.2, abs=0.012)


def test_a_discriminator_tells_what_differs_and_nothing_else() -> None:
    generator = np.random.default_rng(0)
    a, b, c = (generator.random((400, 6)) < p for p in (0.2, 0.2, 0.8))
    assert sampling.discriminated(a, c, 100) > 0.9
    assert sampling.discriminated(a, b, 100) < 0.62
    assert sampling.least_kl(0.5) == 0
    assert sampling.least_kl(1.0) == pytest.approx(2 / np.log(2))


def test_digits_are_pictures_of_dots() -> None:
    drawn = digits.drawn(20, 1)
    assert drawn.shape == (20, 64)
    assert set(np.unique(drawn)) == {0, 1}
    assert len(digits.shown(drawn[0]).split("\n")) == digits.SIDE


def test_documents_are_many_and_different() -> None:
    for labelled in (documents.languages(), documents.messages(), documents.kinds(1)):
        assert min(len(some) for some in labelled.values()) >= 6
        everything = [document for some in labelled.values() for document in some]
        assert len(set(everything)) == len(everything)


def test_what_was_said_before_is_cheap_after_it() -> None:
    said = b"The map showed a road that was no longer there. "
    assert classify.bits_after(said, said) < 0.5 * classify.bits_after(b"Die Karte zeigte eine Strasse. ", said)


@pytest.mark.parametrize("alphabet", [2, 3])
def test_a_table_written_in_digits_is_read_again(alphabet: int) -> None:
    shares = np.random.default_rng(0).dirichlet(np.ones(alphabet), 16)
    written = capacity._written(shares[:, :-1], 8)
    assert len(written) == 16 * (alphabet - 1) * 8
    table = capacity._read(written, 8, 16, alphabet)
    assert np.allclose(table.sum(1), 1)
    assert np.abs(table - shares).max() < alphabet / 2**8
