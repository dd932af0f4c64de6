"""ner: named entities by a Bi-LSTM with characters and a CRF (Lample 2016; Ma & Hovy 2016)."""

import hashlib
import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from lstm_recipes.data import Corpus, Sentence, load_conll2003, load_corpus, read_vectors
from lstm_recipes.data.tag_schemes import allowed_transitions, convert, split_tag
from lstm_recipes.data.word_features import WordFeatures, keys_of
from lstm_recipes.data.word_table import WordTable
from lstm_recipes.errors import UserError, check_numbers
from lstm_recipes.training.run_folder import RunFolder
from lstm_recipes.training.trained_tagger import TrainedTagger, write_columns, write_errors

if TYPE_CHECKING:
    import keras

    from lstm_recipes.decoding.entities import Document, TaggedSentence

COMMONEST = 50_000  # pretrained vectors that are kept beside those of the corpus' own words


@dataclass(frozen=True)
class NER:
    """Every number of the recipe; config.json keeps them."""

    layer: Literal["cec", "forget", "peephole", "gru", "keras_lstm", "keras_gru"] = "forget"
    """The recurrent layer that reads the sentence, once each way."""
    layers: int = 1  # How many of them, one on top of the other.
    units: int = 200  # Width of each, each way.
    characters: Literal["cnn", "lstm", "none"] = "cnn"
    """How a word is read by its characters."""
    character_size: int = 30  # Width of a character's vector.
    character_units: int = 50  # Width of a word's vector that its characters make.
    vector_size: int = 100  # Width of a word's own vector; with --vectors, theirs.
    cased: bool = False  # Whether "Bank" and "bank" have a vector each; both begin with the same.
    scheme: Literal["IOB1", "IOB2", "IOBES"] = "IOBES"
    """The tags that the model learns; files of any scheme are converted."""
    crf: bool = True  # The CRF, by which neighbouring tags see each other; without, a softmax.
    dropout: float = 0.5  # Rate on characters, and before and after each recurrent layer.
    recurrent_dropout: float = 0.25  # Rate on h_{t-1}, one mask a sentence.
    word_dropout: float = 0.05  # Share of words that are taken for unknown ones in training.
    batch_size: int = 32  # Sentences of like length.
    learning_rate: float = 3e-3  # AdamW's, at its highest; it falls in a half cosine to 0.
    warmup: int = 200  # Steps until the learning rate is at its highest.
    weight_decay: float = 0.01  # AdamW's, on kernels alone.
    clip_norm: float = 1.0  # A gradient of the network longer than this is shortened to it.
    vector_learning_rate: float = 1.0  # Of the words' vectors, by plain SGD; it falls likewise.
    steps: int | None = None  # Training steps; or else one of the next two.
    epochs: float | None = 40.0  # How often the training sentences are read.
    minutes: float | None = None  # Becomes a number of steps after fifty timed ones.
    validate_every: int | None = None  # Steps between measurements; without it, once an epoch.
    patience: int = 20  # Measurements without a better F1 after which it is enough.
    seed: int = 0  # Of initial weights, batches and dropout.
    precision: Literal["float32", "mixed_bfloat16"] = "float32"
    """mixed_bfloat16 multiplies in bfloat16, faster where the processor can."""

    def check(self) -> None:
        """Raise a UserError unless all numbers make sense."""
        counts = "layers units character_size character_units vector_size batch_size patience"
        check_numbers(self, counts + " validate_every", "of at least 1", lambda n: n >= 1)
        rates = "dropout recurrent_dropout word_dropout"
        check_numbers(self, rates, "from 0 to below 1", lambda n: 0 <= n < 1)
        check_numbers(self, "learning_rate clip_norm", "above 0", lambda n: 0 < n < math.inf)
        nothing = "warmup weight_decay vector_learning_rate"
        check_numbers(self, nothing, "of at least 0", lambda n: 0 <= n < math.inf)
        check_numbers(self, "seed", "from 0 to below 2**32", lambda n: 0 <= n < 2**32)
        if self.characters == "lstm":
            half_each_way = "that is even, half of it each way"
            check_numbers(self, "character_units", half_each_way, lambda n: n % 2 == 0)


PRESETS = {"default": NER()}


def load(
    data: Path | None, word_column: str = "0", tag_column: str = "-1", strict: bool = False
) -> Corpus:
    """A folder of CoNLL-style files of one's own, or CoNLL-2003."""
    if data is None:
        if (word_column, tag_column, strict) != ("0", "-1", False):
            raise UserError(
                "--word-column, --tag-column and --strict are for files of your own; give them "
                "with --data DIR"
            )
        return load_conll2003()
    return load_corpus(data, tag_column, strict, word_column)


def look_up(corpus: Corpus, numbers: NER, vectors: Path | None) -> WordTable:
    """The words' vectors before training: the training words', and pretrained ones of the
    development words and of the commonest words."""
    words = [word for sentence in corpus.train for word in sentence.words]
    pretrained, size = None, numbers.vector_size
    if vectors is not None:
        valid = [word for sentence in corpus.valid for word in sentence.words]
        keys = {key for word in {*words, *valid} for key in keys_of(word, numbers.cased)}
        pretrained = read_vectors(vectors, keys, COMMONEST)
        size = pretrained.matrix.shape[1]
    return WordTable.made(
        words,
        size=size,
        seed=numbers.seed,
        vectors=pretrained,
        commonest=COMMONEST,
        cased=numbers.cased,
    )


def tags_of(sentences: Sequence[Sentence], scheme: str) -> list[str]:
    """All tags of a scheme for the types of entities in these sentences, which have IOB2 tags; an
    entity that is longer than any of theirs needs one that none of them has."""
    types = {split_tag(tag)[1] for sentence in sentences for tag in sentence.tags} - {""}
    shapes = (convert([f"B-{t}", f"I-{t}", f"I-{t}", f"B-{t}"], "IOB2", scheme) for t in types)
    return sorted({"O"}.union(*shapes))


def build(numbers: NER, table: WordTable, characters: str, tags: list[str]) -> "keras.Model":
    """The model, with freshly drawn weights."""
    import keras

    from lstm_recipes.models.tagger import tagger

    keras.utils.set_random_seed(numbers.seed)
    names = "layer layers units character_size character_units dropout recurrent_dropout crf"
    return tagger(
        len(tags),
        vector_size=table.matrix.shape[1],
        characters=len(characters) + 2,
        character_encoder=numbers.characters,
        allowed=allowed_transitions(tags, numbers.scheme),
        precision=numbers.precision,
        **{name: getattr(numbers, name) for name in names.split()},
    )


def train(
    numbers: NER,
    run: Path = Path("runs/ner"),
    data: Path | None = None,
    word_column: str = "0",
    tag_column: str = "-1",
    strict: bool = False,
    vectors: Path | None = None,
    resume: bool = False,
    overwrite: bool = False,
) -> dict[str, Any]:
    """Train a tagger on the train split, choose the best on the valid split, measure it once on
    the test split.

    Args:
        numbers: The recipe's numbers.
        run: The folder for all that the run writes.
        data: A folder with CoNLL-style files of your own, train.txt, valid.txt and perhaps
            test.txt: a word a line with its tag, empty lines between sentences; without it,
            CoNLL-2003.
        word_column: The column of the words: its number from 0, from the end if negative, or its
            name, where the files name their columns.
        tag_column: The column of the tags, in the same way.
        strict: Refuse tag sequences that their scheme does not allow, instead of repairing them.
        vectors: Pretrained vectors, a text file as GloVe's: a word and its numbers a line.
        resume: Go on with the run in the folder.
        overwrite: Start anew in a folder that holds a run.
    """
    from lstm_recipes.training.fit import Budget, fit
    from lstm_recipes.training.tagging import TaggingTask

    folder = RunFolder(run)
    if resume:
        numbers = NER(**folder.resume(asdict(numbers), asdict(NER())))
    numbers.check()
    budget = Budget(numbers.steps, numbers.epochs, numbers.minutes)
    corpus = load(data, word_column, tag_column, strict)
    table = look_up(corpus, numbers, vectors)
    characters = "".join(sorted({c for s in corpus.train for word in s.words for c in word}))
    tags = tags_of(corpus.train, numbers.scheme)
    about = {"name": corpus.name, "sha256": corpus.sha256, "sentences": len(corpus.train)}
    about |= {"scheme": corpus.scheme, "repaired": corpus.repaired}
    about["vectors"] = {
        "name": "none" if vectors is None else vectors.name,
        "sha256": hashlib.sha256(table.matrix).hexdigest(),  # of all that training starts from
    }
    if resume:
        remedy = "to resume it, or start anew with --overwrite"
        folder.check_data(about, f"give the same --data {remedy}")
        before = folder.read_json("config")["data"]["vectors"]
        if before["sha256"] != about["vectors"]["sha256"]:
            raise UserError(
                f"the run in {folder.path} was started with other vectors ({before['name']}) than "
                f"these ({about['vectors']['name']}); give the same --vectors {remedy}"
            )
    else:
        folder.begin("ner", asdict(numbers), about, overwrite)
    known = {"tags": tags, "scheme": numbers.scheme, "cased": numbers.cased}
    folder.write_json("vocabulary", known | {"characters": characters})
    folder.write_text("valid.conll", write_columns(corpus.valid))
    if corpus.test:
        folder.write_text("test.conll", write_columns(corpus.test))
    found = f"tags in {corpus.scheme}, {corpus.repaired:,} of them repaired"
    print(f"{corpus.name}: {len(corpus.train):,} training sentences, {found}", file=sys.stderr)
    task = TaggingTask(
        build(numbers, table, characters, tags),
        table,
        WordFeatures(table.words, characters, numbers.cased),
        tags,
        numbers.scheme,
        corpus.train,
        corpus.valid,
        batch_size=numbers.batch_size,
        seed=numbers.seed,
        weight_decay=numbers.weight_decay,
        clip_norm=numbers.clip_norm,
        vector_rate=numbers.vector_learning_rate / numbers.learning_rate,
        word_dropout=numbers.word_dropout,
    )
    trained = fit(
        task,
        folder,
        budget,
        learning_rate=numbers.learning_rate,
        warmup=numbers.warmup,
        validate_every=numbers.validate_every or task.steps_per_epoch,
        patience=numbers.patience,
    )
    folder.write_json("metrics", TrainedTagger(run).measure().scores | trained)
    return folder.read_json("metrics")


def evaluate(
    run: Path,
    /,
    split: Literal["test", "valid"] | None = None,
    errors: Path | None = None,
) -> dict[str, Any]:
    """Measure a trained tagger: F1 over entities, by type, and its commonest mistakes.

    Args:
        run: The folder that train wrote.
        split: The sentences to measure it on; without it test, or valid where there is no test.
        errors: A file for the sentences with mistakes: word, right tag, found tag.
    """
    from lstm_recipes.metrics.spans import confusions

    found = TrainedTagger(run).measure(split)
    if errors is not None:
        write_errors(errors, found.sentences, found.tags)
    words = [sentence.words for sentence in found.sentences]
    gold = [sentence.tags for sentence in found.sentences]
    mistakes = [mistake._asdict() for mistake in confusions(words, gold, found.tags)]
    return found.scores | {"commonest mistakes": mistakes}


def tag(
    run: Path,
    files: tuple[Path, ...] = (),
    /,
    columns: bool = False,
    word_column: int = 0,
    output: Literal["color", "conll", "json"] = "color",
    vectors: Path | None = None,
) -> None:
    """Find the entities in text, on standard input or in files.

    Args:
        run: The folder that train wrote.
        files: UTF-8 text; without any, or for "-", standard input.
        columns: The input is CoNLL columns, a word a line, and its lines come out again with one
            column more. Otherwise sentences and tokens are cut by a rule.
        word_column: The column of the words, from 0, from the end if negative.
        output: "color" is the text with its entities marked, "conll" a token and its tag a line,
            "json" a line a sentence with places in characters and how sure the model is.
        vectors: The pretrained vectors of the training, for words that the run did not keep.
    """
    from lstm_recipes.decoding.entities import WRITERS, read_document

    documents = [read_document(path, columns, word_column) for path in files or (None,)]
    tagger = TrainedTagger(run, vectors)
    for document in documents:
        WRITERS[output](document, tagged(tagger, document), sys.stdout)


def tagged(tagger: TrainedTagger, document: "Document") -> Iterator["TaggedSentence"]:
    """The sentences of a document with their tags, as these are found."""
    from lstm_recipes.decoding.entities import TaggedSentence

    words = [[token.text for token in sentence] for sentence in document.sentences]
    found = tagger.tag(words, confidences=True)
    for sentence, row in zip(document.sentences, found, strict=True):
        yield TaggedSentence(sentence, *row)
