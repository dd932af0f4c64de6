# %% [markdown]
# # A network that finds names
#
# Who is in this text, and where, and which companies? A tagger answers with one tag for each
# word, and the tags together mark the names. Here we look at the task and at how it is scored,
# measure why it helps to read a sentence in both directions, build the conditional random field
# (CRF) from its equation, train taggers that have more and more of the parts, and look at what
# they get wrong. Every claim on this page is checked: the code asserts it, or prints the number
# that it measured.
#
# **Time:** about six minutes on two cores, nearly all of them training. With
# `LSTM_RECIPES_FAST=1` in the environment it takes under a minute: tiny models on made-up
# sentences, which tests the page and teaches little.

# %%
import os
import warnings

from lstm_recipes.quiet import load_tensorflow

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")
load_tensorflow()  # leaves out what it says of itself while it starts
warnings.filterwarnings("ignore", "IProgress not found")  # tqdm would like ipywidgets

# %%
import itertools
import random
from collections import Counter
from dataclasses import replace
from pathlib import Path

import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf

from lstm_recipes.data import (
    SCHEMES,
    Sentence,
    allowed_transitions,
    convert,
    load_conll2003,
    load_corpus,
    repair,
    spans,
)
from lstm_recipes.data.sentence_batches import SentenceBatches
from lstm_recipes.data.tokens import tokenize
from lstm_recipes.data.word_features import EncodedSentences, case_of, padded
from lstm_recipes.decoding.entities import TaggedSentence
from lstm_recipes.errors import UserError
from lstm_recipes.layers import ForgetGateLSTM, linear_chain
from lstm_recipes.layers.crf import mask_of
from lstm_recipes.layers.linear_chain import Chain
from lstm_recipes.metrics.spans import confusions, entity_scores
from lstm_recipes.recipes.ner import PRESETS, train
from lstm_recipes.training.tagging import Decoder
from lstm_recipes.training.trained_tagger import TrainedTagger, write_columns

tf.get_logger().setLevel("ERROR")  # it remarks on code that is compiled for several models

FAST = os.environ.get("LSTM_RECIPES_FAST") == "1"
RUNS = Path("runs/notebook-ner-fast" if FAST else "runs/notebook-ner")  # for the trained models
VECTORS = os.environ.get("LSTM_RECIPES_VECTORS")  # a file such as glove.6B.100d.txt, if you have it

BLUE, ORANGE, GREEN, PURPLE, GREY = "#0072B2", "#D55E00", "#009E73", "#AA4499", "#666666"
COLORS = {"PER": BLUE, "LOC": GREEN, "ORG": ORANGE, "MISC": PURPLE}
plt.rcParams.update(
    {
        "figure.figsize": (7, 3),
        "figure.dpi": 120,
        "figure.constrained_layout.use": True,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "font.size": 10,
    }
)

# %% [markdown]
# ## The task
#
# A name is a span: its type, its first word, and the word after its last. Spans are awkward to
# predict, for nobody knows beforehand how many there are. So they are written as tags, one for
# each word, `O` outside of all names. There are several ways to write them:
#
# - **IOB1** has `I` for each word of a name, and `B` only where a name follows at once on
#   another of its own type.
# - **IOB2** has `B` for the first word of every name.
# - **IOBES** also marks the end, `E`, and the name of a single word, `S`.

# %% alt="One sentence's tags in IOB1, IOB2 and IOBES, one scheme a row"
words = ["Ada", "Lovelace", "flew", "London", "Paris", "with", "Swiss", "Air", "."]
names = [("PER", 0, 2), ("LOC", 3, 4), ("LOC", 4, 5), ("ORG", 6, 8)]
written = {"IOB2": ["B-PER", "I-PER", "O", "B-LOC", "B-LOC", "O", "B-ORG", "I-ORG", "O"]}
written = {scheme: convert(written["IOB2"], "IOB2", scheme) for scheme in SCHEMES}


def draw_table(axes, rows: dict[str, list[str]], columns: list[str]):
    """Rows of tags under words, each tag on its type's colour."""
    for y, tags in enumerate(rows.values()):
        for x, tag in enumerate(tags):
            color = COLORS.get(tag.partition("-")[2])
            if color:
                axes.add_patch(plt.Rectangle((x - 0.48, y - 0.42), 0.96, 0.84, color=color))
            style = {"color": "white", "weight": "bold"} if color else {"color": GREY}
            axes.text(x, y, tag, ha="center", va="center", fontsize=8, **style)
    axes.set_xticks(range(len(columns)), columns)
    axes.set_yticks(range(len(rows)), list(rows))
    axes.set(xlim=(-0.5, len(columns) - 0.5), ylim=(len(rows) - 0.5, -0.5))
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


figure, axes = plt.subplots(figsize=(7, 1.3))
draw_table(axes, written, words)
plt.show()

for scheme, tags in written.items():
    assert spans(tags, scheme) == names  # the same names, whichever way they are written
    for other in SCHEMES:
        assert convert(tags, scheme, other) == written[other]  # and nothing is lost between them

# %% [markdown]
# Look at `London Paris`. Without `B` the two would be one name, and that is what the schemes are
# for. The models below learn IOBES, whatever a file has.
#
# ## The text
#
# CoNLL-2003 is news of 1996 in which persons, locations, organizations and others ("MISC") are
# marked. Its text is Reuters' and for research use only, so it is not in this package: the first
# use downloads it, says so, and later ones find it on disk. Where it cannot be had, and in fast
# mode, the notebook makes up sentences of its own. They are built so that both directions and the
# spelling matter: `Yesterday Lomir …` goes on with `told us so`, `was under snow` or
# `cut its prices`, and a name in `-tex` is a company's.


# %%
def made_up(sizes: dict[str, int]) -> dict[str, list[Sentence]]:
    """Sentences with invented names, six in ten of them from a list that all splits share."""
    draw = random.Random(0)
    syllables = "ba be da do fa ga ka la li lo ma mi na ne no ra ri ro sa se ta to va ve zo"
    endings = {"PER": "nsen vic", "LOC": "ham burg", "ORG": "tex corp", "any": "n l r"}
    only_after = {  # what tells the type comes after the name
        "PER": ["told us so", "laughed", "was asked to resign"],
        "LOC": ["was under snow", "has two bridges", "voted for the mayor"],
        "ORG": ["cut its prices", "sold shares", "opened a factory"],
    }
    before = {
        "PER": ["the minister thanked", "we met Mr."],
        "LOC": ["the train left for", "it rained in"],
        "ORG": ["she has shares of", "the board of"],
    }

    def fresh(spelling: str) -> str:
        stem = "".join(draw.choices(syllables.split(), k=2)).capitalize()
        return stem + draw.choice(endings[spelling].split())

    pool = {spelling: [fresh(spelling) for _ in range(60)] for spelling in endings}

    def name(kind: str, spelling: str) -> list[str]:
        one = draw.choice(pool[spelling]) if draw.random() < 0.6 else fresh(spelling)
        longer = {
            "PER": [draw.choice(pool["any"]), one],
            "LOC": ["North", one],
            "ORG": [one, "Group"] if draw.random() < 0.5 else ["Bank", "of", one],
        }
        return longer[kind] if draw.random() < 0.4 else [one]

    def clause() -> tuple[list[str], list[str]]:
        kind = draw.choice(["PER", "LOC", "ORG"])
        way, aside = draw.random(), draw.choice([[], [], [",", "as", "we", "heard", ","]])
        if way < 0.5:
            start = draw.choice([[], ["Yesterday"], ["At", "noon"]])
            end = [*aside, *draw.choice(only_after[kind]).split()]
            entity = name(kind, draw.choice([kind, "any", "any"]))
        elif way < 0.75:
            start, end = draw.choice(before[kind]).split(), aside
            entity = name(kind, draw.choice([kind, "any"]))
        else:  # nothing but the spelling tells, and now and then not even that
            start, end = draw.choice([["we", "read", "about"], ["Think", "of"]]), aside
            entity = name(kind, draw.choice([kind] * 9 + ["any"]))
        tags = [f"B-{kind}", *[f"I-{kind}"] * (len(entity) - 1)]
        return [*start, *entity, *end], ["O"] * len(start) + tags + ["O"] * len(end)

    def sentence() -> Sentence:
        words, tags = clause()
        if draw.random() < 0.4:
            more_words, more_tags = clause()
            words, tags = [*words, "and", *more_words], [*tags, "O", *more_tags]
        return Sentence((*words, "."), (*tags, "O"))

    return {split: [sentence() for _ in range(size)] for split, size in sizes.items()}


corpus, data = None, None  # data None stands for CoNLL-2003, for the recipe too
if not FAST:
    try:
        corpus = load_conll2003()
    except UserError as error:
        print(f"{error}\nSo what follows is measured on made-up sentences, and not on CoNLL-2003.")
CONLL = corpus is not None
if not CONLL:
    data = RUNS / "made-up"
    data.mkdir(parents=True, exist_ok=True)
    sizes = {"train": 6_000, "valid": 1_000, "test": 2_000}
    if FAST:
        sizes = {"train": 600, "valid": 150, "test": 400}
    for split, sentences in made_up(sizes).items():
        (data / f"{split}.txt").write_text(write_columns(sentences), "utf-8")
    corpus = load_corpus(data)

kinds = sorted({kind for s in corpus.train for kind, *_ in spans(s.tags, "IOB2")})
print(f"{corpus.name:12} sentences   words   " + "".join(f"{kind:>7}" for kind in kinds))
for split in ("train", "valid", "test"):
    sentences = getattr(corpus, split)
    counts = Counter(kind for s in sentences for kind, *_ in spans(s.tags, "IOB2"))
    size = sum(len(s.words) for s in sentences)
    row = "".join(f"{counts[kind]:7,}" for kind in kinds)
    print(f"{split:12} {len(sentences):9,} {size:7,}   {row}")

gold = [s.tags for s in corpus.test]
shown = next(s for s in corpus.test if 6 <= len(s.words) <= 9 and len(spans(s.tags, "IOB2")) > 0)

# %% quotes="Reuters' text"
print("the test split's first short sentence:")
print("  ".join(f"{word}/{tag}" for word, tag in zip(shown.words, shown.tags, strict=True)))

# %% [markdown]
# ## What counts as right
#
# Most words are outside of every name. So the share of words with the right tag is large whatever
# one does. What a reader wants are the names: whole, and of the right type. With $G$ the names in
# the text and $P$ those that were found,
#
# $$\text{precision} = \frac{|G \cap P|}{|P|}, \qquad \text{recall} = \frac{|G \cap P|}{|G|},
# \qquad F_1 = \frac{2 \cdot \text{precision} \cdot \text{recall}}
# {\text{precision} + \text{recall}}$$
#
# Two simple taggers show the difference. One finds nothing. The other gives each
# word the tag that it has most often in the training text, and `O` to words that it has not seen.


# %%
def all_spans(sequences) -> set:
    """The names of all sentences, each with its sentence's number."""
    return {(k, *span) for k, tags in enumerate(sequences) for span in spans(tags, "IOB2")}


def f1(right: set, found: set) -> float:
    """In percent. The same as 2PR / (P + R)."""
    return 200 * len(right & found) / (len(right) + len(found))


def word_accuracy(right, found) -> float:
    """In percent."""
    pairs = zip(itertools.chain(*right), itertools.chain(*found), strict=True)
    return 100 * np.mean([one == other for one, other in pairs])


seen: dict[str, Counter] = {}
for sentence in corpus.train:
    for word, tag in zip(sentence.words, sentence.tags, strict=True):
        seen.setdefault(word, Counter())[tag] += 1
commonest = {word: counts.most_common(1)[0][0] for word, counts in seen.items()}

nothing = [["O"] * len(s.words) for s in corpus.test]
look_up = [[commonest.get(word, "O") for word in s.words] for s in corpus.test]

print("                          right words   entity F1")
for what, found in {"finds nothing": nothing, "looks each word up": look_up}.items():
    score = f1(all_spans(gold), all_spans(found))
    print(f"{what:25} {word_accuracy(gold, found):8.1f} %    {score:8.1f}")
    assert abs(score - entity_scores(gold, found)["f1"]) < 1e-9  # the package's, by seqeval
LOOK_UP = score

one, other = [["B-PER", "I-PER", "I-PER"] + ["O"] * 17], [["B-PER", "I-PER"] + ["O"] * 18]
print(f"{'one slip in twenty words':25} {word_accuracy(one, other):8.1f} %", end="    ")
print(f"{f1(all_spans(one), all_spans(other)):8.1f}")
assert f1(all_spans(gold), all_spans(nothing)) == 0
assert word_accuracy(gold, nothing) > 50

# %% [markdown]
# ## Reading both ways
#
# > The bank can guarantee deposits will eventually cover future tuition costs because it invests
# > in adjustable-rate mortgage securities.
#
# > The bank can crumble when the water rises quickly because it is loose sand and gravel.
#
# Is it a bank of money or of a river? At the second word the two sentences are the same. A network
# that reads forwards has seen `The bank`, and its state is a function of those words alone:
#
# $$\overrightarrow h_t = f(x_t, \overrightarrow h_{t-1}) \qquad
# \text{so } \overrightarrow h_2 \text{ is the same in both sentences}$$
#
# No training can change that. A second network, which reads from the end, has by then seen all
# the rest, and the tag is chosen from both:
#
# $$\overleftarrow h_t = f'(x_t, \overleftarrow h_{t+1}), \qquad
# e_t = V \, [\overrightarrow h_t ; \overleftarrow h_t] + a$$
#
# We train both on made-up sentences about banks. Some have a clue before the word, `near the gravel
# the bank …`, some only after it, and a few that break off early have none. The two sentences above
# are not among them. The forward network gets twice the units, so that each gives 128 numbers a
# word.

# %%
MONEY = "guarantee deposits tuition costs invests adjustable-rate mortgage securities loans savings"
RIVER = "crumble water rises loose sand gravel boats fish reeds flood muddy"
EITHER = "will eventually cover future because it in when of is and the slowly quickly at"
CLUES = [MONEY.split(), RIVER.split()]
TWO_BANKS = [
    sentence.split()
    for sentence in (
        "the bank can guarantee deposits will eventually cover future tuition costs because it "
        "invests in adjustable-rate mortgage securities",
        "the bank can crumble when the water rises quickly because it is loose sand and gravel",
    )
]


def about_banks(n: int, seed: int) -> list[tuple[list[str], int]]:
    """Sentences, and which bank each is about: 0 money, 1 river."""
    draw, found = random.Random(seed), []
    for _ in range(n):
        which = draw.randrange(2)
        start = ["near", "the", draw.choice(CLUES[which])] if draw.random() < 0.5 else []
        either = EITHER.split()
        rest = [
            draw.choice(CLUES[which] if draw.random() < 0.4 else either)
            for _ in range(draw.randrange(15))
        ]
        found.append(([*start, "the", "bank", "can", *rest], which))
    return found


def reader(words: int, tags: int, both_ways: bool, units: int = 64) -> keras.Model:
    """A recurrent layer over words, forwards alone or both ways, with 2 * units numbers a word."""
    lstm = ForgetGateLSTM(units if both_ways else 2 * units, return_sequences=True)
    return keras.Sequential(
        [
            keras.Input((None,), dtype="int32"),
            keras.layers.Embedding(words, 64, mask_zero=True),
            keras.layers.Dropout(0.3),
            keras.layers.Bidirectional(lstm) if both_ways else lstm,
            keras.layers.Dropout(0.3),
            keras.layers.Dense(tags),
        ]
    )


def teach(model: keras.Model, ids: list, labels: list, epochs: int) -> None:
    """Train a model on sentences and their tags, of which -1 does not count."""
    order = SentenceBatches([len(row) for row in ids], batch_size=32, seed=0)
    steps = order.steps_per_epoch

    def batches():
        for step in itertools.count():
            chosen = order.batch(step)
            yield padded([ids[k] for k in chosen]), padded([labels[k] for k in chosen], -1)

    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-1)
    rate = keras.optimizers.schedules.CosineDecay(1e-2, epochs * steps)
    model.compile(keras.optimizers.Adam(rate, clipnorm=1.0), loss)
    model.fit(batches(), steps_per_epoch=steps, epochs=epochs, shuffle=False, verbose=0)


# The word bank has the tag 0, of money, or 1, of a river; no other word counts.
vocabulary = {
    word: k for k, word in enumerate(f"near the bank can {MONEY} {RIVER} {EITHER}".split(), 1)
}
to_learn, to_test = about_banks(1_000 if FAST else 4_000, seed=0), about_banks(2_000, seed=1)
assert not {tuple(sentence) for sentence in TWO_BANKS} & {tuple(s) for s, _ in to_learn}
assert set(itertools.chain(*TWO_BANKS)) <= set(vocabulary)

readers = {}
for way in ("forwards", "both ways"):
    keras.utils.set_random_seed(0)
    readers[way] = reader(max(vocabulary.values()) + 1, 2, way == "both ways")
    ids = [np.array([vocabulary[word] for word in s]) for s, _ in to_learn]
    labels = [np.where(np.array(s) == "bank", which, -1) for s, which in to_learn]
    teach(readers[way], ids, labels, epochs=4)


def chance_of_money(model: keras.Model, sentences: list[list[str]]) -> np.ndarray:
    """What a model says at the word bank: the probability that it is the one with money."""
    ids = padded([np.array([vocabulary[word] for word in s]) for s in sentences])
    logits = np.array(model(ids))[np.arange(len(ids)), [s.index("bank") for s in sentences]]
    return 1 / (1 + np.exp(logits[:, 1] - logits[:, 0]))


clue_before = np.array([s[0] == "near" for s, _ in to_test])
clue_after = np.array(
    [bool({*CLUES[0], *CLUES[1]} & set(s[s.index("bank") :])) for s, _ in to_test]
)
groups = {"a clue before the word": clue_before, "only after it": clue_after & ~clue_before}
right = {}
print("bank of which kind, share right      forwards   both ways")
for what, group in groups.items():
    for way, model in readers.items():
        guesses = chance_of_money(model, [s for s, _ in to_test]) < 0.5
        right[way, what] = 100 * (guesses == [which for _, which in to_test])[group].mean()
    row = "   ".join(f"{right[way, what]:7.1f} %" for way in readers)
    print(f"{what:25} (n = {group.sum():5,})  {row}")
assert right["forwards", "only after it"] < 60 < 95 < right["both ways", "only after it"]
assert min(right[way, "a clue before the word"] for way in readers) > 95

# %% [markdown]
# Where the clue comes first, both know. Where it comes after, the forward network guesses, as it
# must. Below, the two sentences grow word by word, and we ask each time what the network now says
# of `bank`. Reading forwards, the answer cannot change.

# %% alt="Two panels, one a sentence: the probability that bank means money, word by word, forwards and both ways"
figure, both_axes = plt.subplots(2, 1, figsize=(7, 4.6))
for axes, sentence in zip(both_axes, TWO_BANKS, strict=True):
    grown = [sentence[: k + 1] for k in range(1, len(sentence))]
    for way, color, marker in (("forwards", ORANGE, "s"), ("both ways", BLUE, "o")):
        said = chance_of_money(readers[way], grown)
        axes.plot(said, color=color, marker=marker, markersize=4, label=way)
        if way == "forwards":
            assert np.ptp(said) < 1e-6
    axes.axhline(0.5, color=GREY, linewidth=0.6)
    axes.set_xticks(range(len(grown)), [s[-1] for s in grown], rotation=35, ha="right", fontsize=8)
    axes.set(ylim=(-0.05, 1.05), ylabel="$p$(money) at “bank”")
both_axes[0].legend(frameon=False, loc="center right", bbox_to_anchor=(1, 0.72))
both_axes[1].set_xlabel("the sentence has come as far as …")
plt.show()

at_bank = {way: [chance_of_money(m, [s])[0] for s in TWO_BANKS] for way, m in readers.items()}
for way, (money, river) in at_bank.items():
    print(f"{way:10} p(money) = {money:.3f} in the first sentence, {river:.3f} in the second")
assert abs(np.subtract(*at_bank["forwards"])) < 1e-6
assert at_bank["both ways"][0] > 0.9 and at_bank["both ways"][1] < 0.1

# %% [markdown]
# That was made to measure. What is it worth on the corpus? The same two networks, words alone and
# two passes over the text. Words that the training text has at most once are known by their shape
# only: lower, Title, UPPER, miXed, no letters. (In fast mode the text is so short that the networks
# read it seven times.)

# %%
often = [word for word, counts in seen.items() if counts.total() > 1]
rows = {word: row for row, word in enumerate(often, 6)}  # 0 is no word, 1 to 5 are the shapes
tag_rows = {tag: row for row, tag in enumerate(sorted({t for s in corpus.train for t in s.tags}))}


def ids_of(sentences: list[Sentence]) -> list[np.ndarray]:
    return [np.array([rows.get(word, case_of(word)) for word in s.words]) for s in sentences]


def first_words(sequences) -> set:
    return {name for name in all_spans(sequences) if name[2] == 0}


reading = {}
print("                 F1   found of names that begin a sentence   of the others")
for way in ("forwards", "both ways"):
    keras.utils.set_random_seed(0)
    model = reader(len(rows) + 6, len(tag_rows), way == "both ways")
    labels = [np.array([tag_rows[tag] for tag in s.tags]) for s in corpus.train]
    teach(model, ids_of(corpus.train), labels, epochs=7 if FAST else 2)

    found = [None] * len(corpus.test)
    for chosen in np.array_split(np.argsort([len(s.words) for s in corpus.test]), 60):
        logits = model.predict_on_batch(padded([ids_of(corpus.test[k : k + 1])[0] for k in chosen]))
        for k, row in zip(chosen, logits.argmax(-1), strict=True):
            found[k] = [list(tag_rows)[tag] for tag in row[: len(corpus.test[k].words)]]
    first, others = first_words(gold), all_spans(gold) - first_words(gold)
    share = [100 * len(part & all_spans(found)) / len(part) for part in (first, others)]
    reading[way] = f1(all_spans(gold), all_spans(found))
    print(f"{way:12} {reading[way]:6.1f} {share[0]:38.1f} % {share[1]:13.1f} %")
assert reading["both ways"] > reading["forwards"]

# %% [markdown]
# ## The CRF
#
# The network gives each tag at each word a score, the emission $e_t[k]$. To take the best tag at
# each word is to choose each as if the others did not exist, and then `O I-PER O` comes out, a
# name that goes on without having begun. A conditional random field scores the sequence as a
# whole. Neighbouring tags have scores $A$ of their own, which are learned:
#
# $$s(y) = \text{start}[y_1] + \sum_{t=1}^{T} e_t[y_t] + \sum_{t=2}^{T} A[y_{t-1}, y_t]
# + \text{end}[y_T], \qquad p(y) = \frac{e^{s(y)}}{Z}, \quad Z = \sum_{y'} e^{s(y')}$$
#
# Here is a case so small that we can look at all of it: three words, three tags, 27 paths.

# %%
TAGS, WORDS = ["O", "B-PER", "I-PER"], ["Ada", "Lovelace", "wrote"]
e = np.array([[1.2, 1.0, 0.4], [0.3, 0.5, 1.0], [2.0, 0.2, 0.1]])  # rows are words
A = np.array([[0.5, 0.0, -0.8], [-0.2, -0.6, 0.9], [0.4, -0.3, 0.2]])  # from the row's tag
start, end = np.array([0.2, 0.1, -0.5]), np.array([0.3, -0.2, 0.0])


def score(y) -> float:
    steps = sum(A[a, b] for a, b in itertools.pairwise(y))
    return start[y[0]] + sum(e[t, k] for t, k in enumerate(y)) + steps + end[y[-1]]


paths = list(itertools.product(range(3), repeat=3))
scores = np.array([score(y) for y in paths])
p = np.exp(scores) / np.exp(scores).sum()

print("the five best of", len(paths), "paths:")
for k in np.argsort(-scores)[:5]:
    print(f"  {' '.join(f'{TAGS[tag]:6}' for tag in paths[k])} s = {scores[k]:.2f}, p = {p[k]:.3f}")
word_by_word = tuple(e.argmax(axis=1))
print("the best tag of each word:", *(TAGS[tag] for tag in word_by_word))
assert repair([TAGS[tag] for tag in word_by_word], "IOB2")[1] == 1  # which is no legal sequence

# %% [markdown]
# $K$ tags and $T$ words make $K^T$ paths. But the paths that end in the same tag all go on alike,
# so it is enough to keep one number for each tag, the log of the sum over the paths so far:
#
# $$\alpha_1[k] = \text{start}[k] + e_1[k], \qquad
# \alpha_t[k] = \log \sum_j e^{\alpha_{t-1}[j] + A[j, k]} + e_t[k], \qquad
# \log Z = \log \sum_k e^{\alpha_T[k] + \text{end}[k]}$$
#
# That is $T K^2$ sums. It must give what adding up all paths gives.


# %%
def logsumexp(x, axis=None):
    top = x.max(axis=axis, keepdims=True)  # nothing overflows
    return np.squeeze(top, axis) + np.log(np.exp(x - top).sum(axis=axis))


def forward(e, A, start):
    alpha = [start + e[0]]
    for e_t in e[1:]:
        alpha.append(logsumexp(alpha[-1][:, None] + A, axis=0) + e_t)
    return np.array(alpha)


alpha = forward(e, A, start)
log_z = logsumexp(alpha[-1] + end)
print(f"log Z over all paths {np.log(np.exp(scores).sum()):.6f}, by the recursion {log_z:.6f}")
np.testing.assert_allclose(log_z, np.log(np.exp(scores).sum()), rtol=1e-12)

# The package's, of a batch of one. It reckons in float64 where it is given float64.
chain, batch = Chain(A, start, end), e[None]
np.testing.assert_allclose(linear_chain.log_partition(batch, chain)[0], log_z, rtol=1e-12)
for y, s in zip(paths, scores, strict=True):
    np.testing.assert_allclose(linear_chain.sequence_score(batch, [y], chain)[0], s, rtol=1e-12)

longest, number = max(len(s.words) for s in corpus.train), 4 * len(kinds) + 1
print(f"the corpus' longest sentence has {longest} words: {number}^{longest} =", end=" ")
print(f"10^{longest * np.log10(number):.0f} paths, and {longest * number**2:,} sums")

# %% [markdown]
# **The best path.** The same recursion with a maximum in place of the sum finds it, if it notes
# down where each maximum came from (Viterbi 1967).
#
# **Marginals.** How likely is a tag at one word, whatever the others are? The sum over all paths
# through it is what comes before it times what comes after, and the latter is the same recursion
# read from the end:
#
# $$p(y_t = k) = \exp(\alpha_t[k] + \beta_t[k] - \log Z), \qquad
# \beta_t[j] = \log \sum_k e^{A[j, k] + e_{t+1}[k] + \beta_{t+1}[k]}, \quad \beta_T = \text{end}$$


# %%
def viterbi(e, A, start, end):
    best, came_from = start + e[0], []
    for e_t in e[1:]:
        ways = best[:, None] + A
        came_from.append(ways.argmax(axis=0))
        best = ways.max(axis=0) + e_t
    y = [int((best + end).argmax())]
    for back in reversed(came_from):
        y.append(int(back[y[-1]]))
    return tuple(reversed(y))


def backward(e, A, end):
    beta = [end]
    for e_t in e[:0:-1]:
        beta.append(logsumexp(A + e_t + beta[-1], axis=1))
    return np.array(beta[::-1])


best = viterbi(e, A, start, end)
print("the best path:", *(TAGS[tag] for tag in best))
assert best == paths[scores.argmax()]
assert best == tuple(linear_chain.viterbi(batch, chain)[0][0].numpy())
assert best != word_by_word

marginals = np.exp(alpha + backward(e, A, end) - log_z)
for t, k in itertools.product(range(3), range(3)):
    through = [y[t] == k for y in paths]
    np.testing.assert_allclose(marginals[t, k], p[through].sum(), rtol=1e-12)
np.testing.assert_allclose(linear_chain.marginals(batch, chain)[0], marginals, rtol=1e-12)

# %% [markdown]
# **Constraints.** We know that no `I-PER` follows an `O`. A step that the scheme does not allow
# gets the score $-\infty$ (here $-10^{30}$). Its paths then have probability zero, and the others
# share what those had. Below, the area of a disc is the marginal, and the width of a line the
# probability of the step; the best path is orange.

# %% alt="Paths through three words and three tags, free and under the rule of IOB2; broad lines are probable steps"
allowed = allowed_transitions(
    TAGS, "IOB2"
)  # the last row is for the start, the last column the end
legal = np.array([repair([TAGS[k] for k in y], "IOB2")[1] == 0 for y in paths])
constrained = chain.constrained(allowed)
p_constrained = np.exp(
    [float(linear_chain.log_likelihood(batch, [y], constrained)[0]) for y in paths]
)
print(f"{legal.sum()} of {len(paths)} paths are legal. The other {(~legal).sum()} have", end=" ")
print(
    f"{100 * p[~legal].sum():.1f} % of the probability, and {p_constrained[~legal].sum():g} %",
    end=" ",
)
print("with the rule")
assert (p_constrained[~legal] == 0).all()
np.testing.assert_allclose(p_constrained[legal], p[legal] / p[legal].sum(), rtol=1e-12)

figure, both_axes = plt.subplots(1, 2, figsize=(7, 2.6), sharey=True)
for axes, chances, what in zip(both_axes, (p, p_constrained), ("free", "IOB2 alone"), strict=True):
    top = paths[chances.argmax()]
    for t, a, b in itertools.product(range(2), range(3), range(3)):
        on_top = (top[t], top[t + 1]) == (a, b)
        step = sum(q for y, q in zip(paths, chances, strict=True) if (y[t], y[t + 1]) == (a, b))
        color = ORANGE if on_top else "#9ecae1"
        axes.plot([t, t + 1], [a, b], color=color, linewidth=9 * step, zorder=1 + on_top)
    for t, k in itertools.product(range(3), range(3)):
        chance = sum(q for y, q in zip(paths, chances, strict=True) if y[t] == k)
        axes.scatter(t, k, s=900 * chance, color=BLUE, zorder=3)
        axes.text(t, k + 0.4, f"{chance:.2f}", ha="center", va="center", fontsize=8, zorder=4)
    axes.set_xticks(range(3), WORDS)
    axes.set_yticks(range(3), TAGS)
    axes.set(xlim=(-0.4, 2.4), ylim=(2.6, -0.45))
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_title(what, fontsize=10)
plt.show()

# %% [markdown]
# **Learning.** Training makes $\log p(y) = s(y) - \log Z$ of the right tags large. Its gradient is
# simple: one where the right tag is, less what the model expects there.
#
# $$\frac{\partial \log p(y)}{\partial e_t[k]} = [y_t = k] - p(y_t = k), \qquad
# \frac{\partial \log p(y)}{\partial A[j, k]} = \sum_{t=2}^{T} [y_{t-1} = j, y_t = k]
# - p(y_{t-1} = j, y_t = k)$$

# %%
with tf.GradientTape() as tape:
    inputs = tf.constant(batch), tf.constant(A)
    tape.watch(inputs)
    log_p = linear_chain.log_likelihood(inputs[0], [best], Chain(inputs[1], start, end))[0]
by_emissions, by_transitions = tape.gradient(log_p, inputs)

np.testing.assert_allclose(by_emissions[0], np.eye(3)[list(best)] - marginals, atol=1e-12)
expected = np.zeros((3, 3))
for y, q in zip(paths, p, strict=True):
    for pair in itertools.pairwise(y):
        expected[pair] += q
observed = np.zeros((3, 3))
for pair in itertools.pairwise(best):
    observed[pair] += 1
np.testing.assert_allclose(by_transitions, observed - expected, atol=1e-12)
print("both gradients are what was there less what was expected, to twelve digits")

# %% [markdown]
# ## What each part adds
#
# Now the recipe, `recipes/ner.py`: first words alone with a softmax at each of them, then with the
# CRF, then with a convolution over each word's characters, then beginning with pretrained vectors,
# if there is a file of them. All read both ways. The numbers are small, so that it is over in
# minutes: half the recipe's units, a few passes over the text, and each sentence is read alone,
# where the recipe looks at the sentences around too.

# %%
numbers = replace(
    PRESETS["default"],
    context=0,
    units=100,
    epochs=4.0,
    dropout=0.3,
    recurrent_dropout=0.0,
    learning_rate=5e-3,
    warmup=100,
    vector_learning_rate=3.0,
)
if FAST:
    numbers = replace(
        numbers,
        validate_every=95,
        learning_rate=1e-2,
        units=24,
        character_units=20,
        vector_size=32,
        batch_size=16,
        epochs=5.0,
    )
parts = {
    "words": (replace(numbers, characters="none", crf=False), None),
    "+ CRF": (replace(numbers, characters="none"), None),
    "+ characters": (numbers, None),
}
if FAST or not VECTORS:
    print("No file of pretrained vectors is used, so the last row of the table is left out.")
    print("LSTM_RECIPES_VECTORS=glove.6B.100d.txt in the environment adds it.")
else:
    parts["+ vectors"] = (numbers, Path(VECTORS))

taggers, metrics = {}, {}
for part, (its_numbers, vectors) in parts.items():
    run = RUNS / part.removeprefix("+ ").lower()
    metrics[part] = train(its_numbers, run=run, data=data, vectors=vectors, overwrite=True)
    taggers[part] = TrainedTagger(run)

# %% [markdown]
# Of each we measure on the test split, once: F1; how many sentences get a sequence of tags that
# IOBES does not allow, before it is repaired; and how many of the names are found, apart for names
# of words that the training text has and for those with a word that it has not. One row more is
# made without training: the first model, held to the rules of IOBES while decoding.


# %%
@tf.function(reduce_retracing=True)
def best_of(emissions, chain: Chain) -> tuple:
    """The best sequences of tags and their log p."""
    mask = mask_of(emissions)
    tags, score = linear_chain.viterbi(emissions, chain, mask)
    return tags, score - linear_chain.log_partition(emissions, chain, mask)


def decode(tagger: TrainedTagger, sentences: list, chain: Chain | None = None) -> tuple:
    """The best tags of each sentence, in the model's own scheme, and the log p of them.

    By the model's scores of neighbouring tags, or by others.
    """
    chain = tagger.model.get_layer("crf").chain if chain is None else chain
    tags, log_p = [None] * len(sentences), np.zeros(len(sentences))
    words = EncodedSentences(tagger.features, [s.words for s in sentences])
    decoder = Decoder(tagger.model, tagger.tags, tagger.scheme)
    for chosen, emissions in decoder.emissions(tagger.table.matrix, words):
        best, log_p[chosen] = best_of(emissions, chain)
        for k, row in zip(chosen, best.numpy(), strict=True):
            tags[k] = [tagger.tags[tag] for tag in row if tag >= 0]
    return tags, log_p


def has_new_word(name: tuple) -> bool:
    k, _, first, after = name
    return any(word not in seen for word in corpus.test[k].words[first:after])


new = {name for name in all_spans(gold) if has_new_word(name)}
known = all_spans(gold) - new
rules = Chain(np.zeros((len(taggers["words"].tags),) * 2, "float32")).constrained(
    allowed_transitions(taggers["words"].tags, "IOBES")
)
measured = [(part, tagger, None) for part, tagger in taggers.items()]
measured.insert(1, ("words, rules", taggers["words"], rules))

answers, illegal, found_share, scored = {}, {}, {}, {}
print(f"names of known words: {len(known):,}; with a new word: {len(new):,}\n")
print("                 weights   seconds      F1   illegal   known found   new found")
for part, tagger, chain in measured:
    best, _ = decode(tagger, corpus.test, chain)
    repaired = [repair(tags, "IOBES") for tags in best]
    illegal[part] = sum(changes > 0 for _, changes in repaired)
    answers[part] = [convert(tags, "IOBES", "IOB2") for tags, _ in repaired]
    names = all_spans(answers[part])
    scored[part] = f1(all_spans(gold), names)
    found_share[part] = [100 * len(names & some) / len(some) for some in (known, new)]
    training = "                    "
    if part in metrics:
        training = f"{metrics[part]['parameters']:10,} {metrics[part]['train_seconds']:9.0f}"
        assert abs(scored[part] - metrics[part]["f1"]) < 0.01  # what the recipe measured
    print(
        f"{part:13} {training} {scored[part]:7.2f} {illegal[part]:9,}"
        f" {found_share[part][0]:11.1f} % {found_share[part][1]:9.1f} %"
    )

assert not any(illegal[part] for part in illegal if part != "words")
assert not CONLL or illegal["words"] > 0

# %% alt="Left: bars of entity F1 for each set of parts. Right: the share found of names of known words and of names with a new word"
gains = {"look-up": LOOK_UP, **scored}
figure, (left, right_axes) = plt.subplots(1, 2, figsize=(7, 3))
bars = left.bar(range(len(gains)), list(gains.values()), color=[GREY, *[BLUE] * len(scored)])
left.bar_label(bars, fmt="%.1f", fontsize=8)
left.set_xticks(range(len(gains)), list(gains), rotation=25, ha="right", fontsize=9)
left.set(ylabel="entity F1, test split", ylim=(0, 100))

shift = np.arange(len(scored))
for offset, color, hatch, k, what in (
    (-0.2, GREEN, None, 0, "known words"),
    (0.2, ORANGE, "//", 1, "a new word"),
):
    values = [found_share[part][k] for part in scored]
    bars = right_axes.bar(
        shift + offset, values, 0.38, color=color, hatch=hatch, edgecolor="white", label=what
    )
    right_axes.bar_label(bars, fmt="%.0f", fontsize=8)
right_axes.set_xticks(shift, list(scored), rotation=25, ha="right", fontsize=9)
right_axes.set(ylabel="names found (%)", ylim=(0, 118))
right_axes.legend(frameon=False, ncols=2, fontsize=8, loc="upper center")
plt.show()

# %% [markdown]
# With the CRF no sequence is illegal any more, because none can be. The row of the rules alone
# tells how much of its F1 they are, and what is left are the learned scores and the training with
# them. The characters are for words that the model has not met, and there they help most. The bars
# are of one seed and a short training: two that are a point apart might change places with another
# seed. What the full recipe reaches, with several seeds, is in the table of `docs/ner.md`.

# %%
gain = np.subtract(found_share["+ characters"], found_share["+ CRF"])
print(f"characters find {gain[0]:+.1f} % of the names of known words, {gain[1]:+.1f} % of the new")
assert not CONLL or gain[1] > gain[0] > -1

# %% [markdown]
# ## What the transitions have learned
#
# Which tags follow which, by the scores $A$ of the last model: from the row's tag to the
# column's. Hatched steps are not allowed in IOBES. The last row is the sentence's start and the
# last column its end.

# %% alt="The learned transition scores as a matrix of tags by tags; steps that IOBES forbids are hatched"
best_part = list(parts)[-1]
chosen_tagger = taggers[best_part]
crf = chosen_tagger.model.get_layer("crf")
order = ["O", *(f"{prefix}-{kind}" for kind in kinds for prefix in "BIES")]
order = [tag for tag in order if tag in chosen_tagger.tags]
places = [chosen_tagger.tags.index(tag) for tag in order]
assert sorted(order) == sorted(chosen_tagger.tags)

size = len(order) + 1
matrix = np.full((size, size), np.nan)
matrix[:-1, :-1] = crf.transitions.numpy()[np.ix_(places, places)]
matrix[-1, :-1], matrix[:-1, -1] = crf.start.numpy()[places], crf.end.numpy()[places]
may = allowed_transitions(order, "IOBES")
may[-1, -1] = False
matrix[~may] = np.nan

top = np.nanmax(np.abs(matrix))
figure, axes = plt.subplots(figsize=(7, 6.2))
axes.set_facecolor("#eeeeee")
image = axes.imshow(matrix, cmap="PuOr_r", vmin=-top, vmax=top)
for y, x in itertools.product(range(size), range(size)):
    if may[y, x]:
        color = "white" if abs(matrix[y, x]) > 0.6 * top else "black"
        axes.text(
            x,
            y,
            f"{matrix[y, x]:.1f}".replace("-0.0", "0.0"),
            ha="center",
            va="center",
            fontsize=6,
            color=color,
        )
    else:
        cell = plt.Rectangle(
            (x - 0.5, y - 0.5), 1, 1, fill=False, hatch="////", edgecolor="#cccccc"
        )
        cell.set_linewidth(0)
        axes.add_patch(cell)
axes.set_xticks(range(size), [*order, "end"], rotation=90, fontsize=8)
axes.set_yticks(range(size), [*order, "start"], fontsize=8)
axes.set(xlabel="to", ylabel="from")
axes.spines[:].set_visible(False)
figure.colorbar(image, label="score", shrink=0.8)
plt.show()

# %% [markdown]
# A score is not a frequency: the emissions say much already, and the CRF learns what they leave
# out. Here are the steps that it likes best and least, and how often the training text has them.

# %%
label_from, label_to = [*order, "start"], [*order, "end"]
steps = Counter()
for sentence in corpus.train:
    tags = convert(sentence.tags, "IOB2", "IOBES")
    steps.update(itertools.pairwise(["start", *tags, "end"]))
ranked = sorted((matrix[y, x], label_from[y], label_to[x]) for y, x in np.argwhere(may))
for value, one, other in [*ranked[:-6:-1], *ranked[4::-1]]:
    print(f"{one:>6} → {other:6} {value:6.2f}   {steps[one, other]:7,} times")

after_name = {"O": [], "a name of another type": [], "a name of its own type": []}
for value, one, other in ranked:
    if one[:2] in ("E-", "S-") and other != "end":
        same = "its own" if one[2:] == other[2:] else "another"
        after_name["O" if other == "O" else f"a name of {same} type"].append(value)
print("\nmean score of the steps from the end of a name")
for what, values in after_name.items():
    print(f"  to {what:24} {np.mean(values):6.2f}")
assert np.mean(after_name["O"]) > max(map(np.mean, list(after_name.values())[1:]))

never = [value for value, one, other in ranked if not steps[one, other]]
ever = [value for value, one, other in ranked if steps[one, other]]
print(f"\nmean score of the {len(ever)} allowed steps that the text has: {np.mean(ever):.2f}")
if never:
    print(f"and of the {len(never)} that it never has:                 {np.mean(never):.2f}")
assert all(may[label_from.index(one), label_to.index(other)] for one, other in steps)

# %% [markdown]
# ## Errors
#
# What does the last of them get wrong? A name can be missed, invented, cut in the wrong place, or
# given the wrong type.

# %% quotes="Reuters' text"
texts = [s.words for s in corpus.test]
mistakes = confusions(texts, gold, answers[best_part], n=10)
print("in the text   found   mistake           times   the first such")
for mistake in mistakes:
    print(
        f"{mistake.gold:13} {mistake.predicted:7} {mistake.kind:16} {mistake.count:6}   "
        f"{mistake.example[:50]}"
    )

# %%
every = confusions(texts, gold, answers[best_part], n=1000)
kinds_of_mistakes = Counter()
for mistake in every:
    kinds_of_mistakes[mistake.kind] += mistake.count
print(", ".join(f"{kind} {count}" for kind, count in kinds_of_mistakes.most_common()))

# %% [markdown]
# ## Does it know when it does not know?
#
# The CRF gives probabilities: of the whole sequence, $p(y)$, and of a name, the sum over all
# sequences that have it. If they mean anything, then of the names that it is 80 % sure of, 80 %
# are right. We sort names, and sentences, by confidence into groups of equal size, and compare
# with the share that is right. The legend has how far they are apart, on average over the groups.


# %% alt="The share right against confidence, for names and for whole sentences, beside the diagonal"
def reliability(sure: np.ndarray, right: np.ndarray, groups: int) -> tuple[np.ndarray, float]:
    """Mean confidence and share right of each group, and the mean distance between the two."""
    cut = np.array_split(np.argsort(sure, kind="stable"), groups)
    points = np.array([(sure[group].mean(), right[group].mean()) for group in cut])
    sizes = np.array([len(group) for group in cut])
    return points, float((sizes * np.abs(points[:, 0] - points[:, 1])).sum() / sizes.sum())


tagged = list(chosen_tagger.tag(texts, confidences=True))
assert [row.tags for row in tagged] == answers[best_part]
names = [(k, *span) for k, row in enumerate(tagged) for span in spans(row.tags, "IOB2")]
name_sure = np.array([sure for row in tagged for sure in row.confidences])
right_names = all_spans(gold)
name_right = np.array([name in right_names for name in names], float)

_, log_p = decode(chosen_tagger, corpus.test)
sentence_sure = np.exp(log_p)
pairs = zip(gold, answers[best_part], strict=True)
sentence_right = np.array([list(one) == list(other) for one, other in pairs], float)

figure, axes = plt.subplots(figsize=(4.6, 4))
axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, linestyle=":")
for what, sure, right_ones, color, marker in (
    ("names", name_sure, name_right, BLUE, "o"),
    ("whole sentences", sentence_sure, sentence_right, ORANGE, "s"),
):
    points, distance = reliability(sure, right_ones, groups=10)
    axes.plot(*points.T, color=color, marker=marker, label=f"{what} ({distance:.3f} off)")
    half = np.argsort(sure)
    low, high = right_ones[half[: len(half) // 2]].mean(), right_ones[half[len(half) // 2 :]].mean()
    print(f"{what:16} n = {len(sure):5,}: mean confidence {100 * sure.mean():.1f} %", end=", ")
    print(f"right {100 * right_ones.mean():.1f} %;")
    print(f"{'':16} of the less confident half {100 * low:.1f} % are right, of the other ", end="")
    print(f"{100 * high:.1f} %")
    assert low < high
axes.set(
    xlabel="confidence (mean of a group)", ylabel="share right", xlim=(0, 1.02), ylim=(0, 1.02)
)
axes.set_aspect("equal")
axes.legend(frameon=False, loc="lower right", fontsize=8)
plt.show()

# %% [markdown]
# Above the dotted line it is better than it says, below it too sure of itself. Both are measured on
# the news that it was tested on. On another kind of text expect it to be too sure.
#
# Whoever has to check by hand can begin with the names that it is least sure of. How many mistakes
# are among them?

# %%
rank = np.argsort(name_sure)
for share in (0.05, 0.1, 0.2):
    few = rank[: int(share * len(rank))]
    caught = (1 - name_right[few]).sum() / max((1 - name_right).sum(), 1)
    print(f"the {100 * share:.0f} % least sure names have {100 * caught:.0f} % of the wrong ones")

# %% quotes="Reuters' text"
wrong = [k for k in np.argsort(log_p) if not sentence_right[k] and 5 <= len(texts[k]) <= 12]
unsure = wrong[0]
print(f"the least sure short sentence with a mistake ({100 * sentence_sure[unsure]:.0f} %):")
for word, right_tag, tag in zip(
    texts[unsure], gold[unsure], answers[best_part][unsure], strict=True
):
    print(f"  {word:16} {right_tag:8} found {tag:8}{'' if right_tag == tag else '  ←'}")

# %% [markdown]
# ## A sentence of your own
#
# Write anything here. `tokenize` cuts text into sentences and words by a fixed rule and keeps their
# places, and `TrainedTagger` needs the run folder alone.

# %%
text = (
    "Maria Lopez flew from Zurich to Boston, where she met the chairman of Nestle and an Italian "
    "judge."
)
if not CONLL:
    text = "Yesterday Bolarvic told us so. Think of Renatex Group. At noon Gavel was under snow."

for tokens in tokenize(text):
    [row] = chosen_tagger.tag([[token.text for token in tokens]], confidences=True)
    for name in TaggedSentence(tokens, *row).entities(text):
        place = f"characters {name.start} to {name.end}"
        print(f"{name.text:20} {name.type:5} {100 * name.confidence:5.1f} %   {place}")
        assert text[name.start : name.end] == name.text

# %% [markdown]
# And how sure it is at each word: the marginals, those of `B`, `I`, `E` and `S` of a type added up.

# %% alt="The probability of each type of name for each word of a sentence"
own = max(tokenize(text), key=len)
own_words = [token.text for token in own]
inputs = chosen_tagger.features.encode([own_words])
emissions = chosen_tagger.model(
    {
        "vectors": chosen_tagger.table.matrix[inputs.rows],
        "case": inputs.case,
        "characters": inputs.characters,
    }
)
chances = crf.marginals(emissions)[0]  # [words, tags]
np.testing.assert_allclose(chances.sum(axis=1), 1, atol=1e-4)
of_type = [
    chances[:, [tag.partition("-")[2] == kind for tag in chosen_tagger.tags]].sum(axis=1)
    for kind in kinds
]

figure, axes = plt.subplots(figsize=(7, 2.2))
image = axes.imshow(np.array(of_type), cmap="cividis", vmin=0, vmax=1, aspect="auto")
for y, x in itertools.product(range(len(kinds)), range(len(own_words))):
    if of_type[y][x] >= 0.05:
        color = "black" if of_type[y][x] > 0.5 else "white"
        axes.text(x, y, f"{of_type[y][x]:.1f}", ha="center", va="center", fontsize=7, color=color)
axes.set_xticks(range(len(own_words)), own_words, rotation=40, ha="right", fontsize=8)
axes.set_yticks(range(len(kinds)), kinds)
axes.tick_params(length=0)
axes.spines[:].set_visible(False)
figure.colorbar(image, label="probability", pad=0.02)
plt.show()

# %% [markdown]
# ## What to try next
#
# The run folders hold the trained models, so the command line goes on from here:
#
# ```console
# $ echo "Ada met Charles in London." | lstm-recipes ner tag runs/notebook-ner/characters
# $ lstm-recipes ner evaluate runs/notebook-ner/characters --errors mistakes.txt
# $ lstm-recipes ner train --run runs/names --vectors glove.6B.100d.txt   # the full recipe
# $ lstm-recipes ner train --run runs/mine --data corpus/                 # files of your own
# ```
#
# And here:
#
# - Write the sentence above in small letters, or in capitals. Which names are lost? The training
#   text has few such sentences.
# - Train with `scheme="IOB2"` in place of IOBES. The transitions then have less to say.
# - Train with `characters="lstm"`, or with `layer="peephole"`.
# - Give a name that no list has, `Quorzel`, in a place where only what comes after tells its type.
# - Put a CRF on the `reader` of the second section. It is a layer like any other: `crf = CRF()`
#   behind `Dense`, `model.compile("adam", loss=crf.loss)`, and `crf.decode(model.predict(ids))`
#   for the tags.
# - Decode the model that was trained with a CRF by `rules`, without its learned scores. Has the
#   network itself learned something else, because it was trained with them?
