"""Scores of translations: BLEU and chrF as sacreBLEU computes them, each with its signature.

A BLEU score means something only beside how it was computed (Post 2018), so every score here
carries sacreBLEU's signature. Sentences are strings, one reference for each hypothesis.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from lstm_recipes.data.moses import tokenize as tokens_of


class Score(NamedTuple):
    """A score from 0 to 100, and the signature of its computation."""

    value: float
    signature: str


def bleu(
    hypotheses: Sequence[str],
    references: Sequence[str],
    tokenize: str = "13a",
    lowercase: bool = False,
) -> Score:
    """Corpus BLEU (Papineni et al. 2002).

    Args:
        hypotheses: the translations.
        references: the right ones, as many.
        tokenize: how sacreBLEU cuts both: `13a` for text as people write it, `none` for text
            whose tokens have spaces between them already.
        lowercase: whether capitals count as small letters.

    Raises:
        ValueError: there are no sentences, or not as many references.

    >>> bleu(["The dog bit the man.", "A cat sat."], ["The dog bit the man.", "A cat sat down."])
    Score(value=77.81..., signature='nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:...')
    """
    _check(hypotheses, references)
    return _score(_bleu(tokenize, lowercase), hypotheses, references)


def chrf(hypotheses: Sequence[str], references: Sequence[str]) -> Score:
    """Corpus chrF2: the F-score of character n-grams up to six (Popović 2015).

    Raises:
        ValueError: there are no sentences, or not as many references.

    >>> chrf(["chat"], ["chats"])
    Score(value=72.57..., signature='nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|version:...')
    """
    from sacrebleu.metrics import CHRF

    _check(hypotheses, references)
    return _score(CHRF(), hypotheses, references)


def multi30k_bleu(hypotheses: Sequence[str], references: Sequence[str], language: str) -> Score:
    """BLEU as papers on Multi30k compute it, of tokens in small letters.

    Hypotheses and references alike are plain text; both go through `multi30k_text`, and then
    sacreBLEU is told to cut at spaces alone.

    Args:
        hypotheses, references: as `bleu` takes them.
        language: of both, by its two letters.

    >>> multi30k_bleu(["Ein Mann schläft im Gras."], ["ein Mann schläft im Gras ."], "de").value
    100.00...
    """
    _check(hypotheses, references)
    both = [[multi30k_text(text, language) for text in side] for side in (hypotheses, references)]
    return bleu(*both, tokenize="none")


def multi30k_text(text: str, language: str) -> str:
    """A sentence as the scores on Multi30k see it.

    Moses' rules (`data/moses.py`): punctuation normalised, tokens cut without splitting at
    hyphens, small letters, one space between tokens.

    >>> multi30k_text("Zwei „gut-gelaunte“ Männer.", "de")
    'zwei " gut-gelaunte " männer .'
    """
    return " ".join(tokens_of(text, language, lowercase=True))


def exact_match(hypotheses: Sequence[str], references: Sequence[str]) -> float:
    """How many percent of the hypotheses equal their references, character by character.

    >>> exact_match(["3 mars 1998", "2 mars"], ["3 mars 1998", "2 mai"])
    50.0
    """
    _check(hypotheses, references)
    right = sum(one == other for one, other in zip(hypotheses, references, strict=True))
    return 100 * right / len(references)


class LengthBin(NamedTuple):
    """The sentences of some length, and their BLEU."""

    shortest: int
    longest: int | None  # None: there is no limit
    sentences: int
    bleu: float | None  # None: there are no such sentences


def bleu_by_length(
    lengths: Sequence[int],
    hypotheses: Sequence[str],
    references: Sequence[str],
    edges: Sequence[int] = (10, 15, 20, 30),
    tokenize: str = "13a",
) -> list[LengthBin]:
    """BLEU of short and of long sentences, each group a corpus of its own.

    It is how Bahdanau et al. (2014), figure 2, show where one fixed vector breaks.

    Args:
        lengths: of the sources, in whatever they are counted.
        hypotheses, references, tokenize: as `bleu` takes them.
        edges: the greatest length of each group but the last, which has no limit.

    Returns:
        A group for each edge, and one for all that is longer.

    Raises:
        ValueError: the edges do not rise, or the numbers of sentences differ.

    >>> for group in bleu_by_length([2, 9], ["a b", "c d e f"], ["a c", "c d e f"], edges=[5]):
    ...     print(group)
    LengthBin(shortest=0, longest=5, sentences=1, bleu=0.0)
    LengthBin(shortest=6, longest=None, sentences=1, bleu=100.0...)
    """
    _check(hypotheses, references)
    if len(lengths) != len(hypotheses):
        raise ValueError(f"there are {len(hypotheses)} sentences and {len(lengths)} lengths")
    if not edges or list(edges) != sorted(set(edges)):
        raise ValueError(f"the edges must be rising numbers, not {list(edges)}")
    groups = []
    for shortest, longest in zip((0, *(edge + 1 for edge in edges)), (*edges, None), strict=True):
        chosen = [
            place
            for place, length in enumerate(lengths)
            if shortest <= length and (longest is None or length <= longest)
        ]
        sides = [[side[place] for place in chosen] for side in (hypotheses, references)]
        value = bleu(*sides, tokenize=tokenize).value if chosen else None
        groups.append(LengthBin(shortest, longest, len(chosen), value))
    return groups


class Comparison(NamedTuple):
    """Two systems on the same sentences."""

    baseline: float  # BLEU
    system: float
    p_value: float
    signature: str

    @property
    def difference(self) -> float:
        """How much better the system is."""
        return self.system - self.baseline


def paired_bootstrap(
    baseline: Sequence[str],
    system: Sequence[str],
    references: Sequence[str],
    tokenize: str = "13a",
    lowercase: bool = False,
    samples: int = 1_000,
) -> Comparison:
    """Whether two systems' BLEU differ by more than chance (Koehn 2004), by sacreBLEU.

    Corpora are drawn from the sentences with replacement, the same for both systems. The p-value
    is the share of draws whose absolute difference exceeds the mean of all draws' by more than the
    real difference. Systems that give the same translations have a p-value of 1.

    Args:
        baseline, system: the translations of both.
        references, tokenize, lowercase: as `bleu` takes them.
        samples: how often a corpus is drawn. The seed is sacreBLEU's ($SACREBLEU_SEED or 12345).

    Raises:
        ValueError: there are no sentences, or not as many of each.
    """
    from sacrebleu.significance import PairedTest

    _check(baseline, references)
    _check(system, references)
    test = PairedTest(
        [("baseline", list(baseline)), ("system", list(system))],
        {"BLEU": _bleu(tokenize, lowercase)},
        references=[list(references)],
        test_type="bs",
        n_samples=samples,
    )
    signatures, scores = test()
    first, second = scores["BLEU"]
    p_value = 1.0 if list(baseline) == list(system) else float(second.p_value)
    return Comparison(first.score, second.score, p_value, str(signatures["BLEU"]))


def _bleu(tokenize: str, lowercase: bool) -> Any:
    # sacreBLEU is loaded when something is scored, not with the package.
    from sacrebleu.metrics import BLEU

    # `force` only silences its advice not to score text that looks tokenised.
    return BLEU(lowercase=lowercase, tokenize=tokenize, force=True)


def _score(metric: Any, hypotheses: Sequence[str], references: Sequence[str]) -> Score:
    value = metric.corpus_score(list(hypotheses), [list(references)]).score
    return Score(value, str(metric.get_signature()))


def _check(hypotheses: Sequence[str], references: Sequence[str]) -> None:
    if not references or len(hypotheses) != len(references):
        raise ValueError(
            f"there are {len(hypotheses)} translations and {len(references)} references; give as "
            "many of both, and at least one"
        )
