"""ner: named entities by a Bi-LSTM with characters and a CRF (Lample 2016; Ma & Hovy 2016)."""

import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from lstm_recipes.data import Corpus, allowed_transitions, load_conll2003, load_corpus
from lstm_recipes.data.tagger_vocabulary import TaggerVocabulary
from lstm_recipes.data.word_table import WordTable
from lstm_recipes.errors import UserError
from lstm_recipes.export.export_run import Target, export_run
from lstm_recipes.recipe_numbers import Range, check_numbers, chosen, restored
from lstm_recipes.training.devices import Devices
from lstm_recipes.training.run_folder import RunFolder
from lstm_recipes.training.trained_tagger import TrainedTagger, keep, write_errors

if TYPE_CHECKING:
    import keras


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
    context: int = 50  # Sentences of the document before and after that are seen too; 0: none.
    context_units: int = 64  # Width of a word's vector that its other occurrences there make.
    topic_units: int = 32  # Width of a sentence's vector that all words there make.
    vector_size: int = 100  # Width of a word's own vector; with --vectors, theirs.
    cased: bool = False  # Whether "Bank" and "bank" have a vector each; both begin with the same.
    scheme: Literal["IOB1", "IOB2", "IOBES"] = "IOBES"
    """The tags that the model learns; files of any scheme are converted."""
    crf: bool = True  # The CRF, by which neighbouring tags see each other; without, a softmax.
    dropout: float = 0.5  # Rate on characters, and before and after each recurrent layer.
    context_dropout: float = 0.3  # Rate on what the sentences around show.
    recurrent_dropout: float = 0.25  # Rate on h_{t-1}, one mask a sentence.
    word_dropout: float = 0.05  # Share of words that are taken for unknown ones in training.
    batch_size: int = 32  # Sentences of like length.
    learning_rate: float = 3e-3  # AdamW's, at its highest; it falls in a half cosine to 0.
    warmup: int = 200  # Steps until the learning rate is at its highest.
    weight_decay: float = 0.01  # AdamW's, on kernels alone.
    clip_norm: float = 1.0  # A gradient of the network longer than this is shortened to it.
    vector_learning_rate: float = 1.0  # Of the words' vectors, by plain SGD; it falls likewise.
    steps: int | None = None  # Training steps; or else one of the next two.
    epochs: float | None = 25.0  # How often the training sentences are read.
    minutes: float | None = None  # Becomes a number of steps after fifty timed ones.
    validate_every: int | None = None  # Steps between measurements; without it, once an epoch.
    patience: int = 20  # Measurements without a better F1 after which it is enough.
    seed: int = 0  # Of initial weights, batches and dropout.
    precision: Literal["float32", "mixed_bfloat16"] = "float32"
    """mixed_bfloat16 multiplies in bfloat16, faster where the processor can."""

    def check(self) -> None:
        """Raise a UserError unless all numbers make sense."""
        counts = "layers units character_size character_units vector_size batch_size patience"
        counts += " context_units topic_units"
        check_numbers(self, counts + " validate_every", Range.COUNT)
        check_numbers(self, "dropout context_dropout recurrent_dropout word_dropout", Range.SHARE)
        check_numbers(self, "learning_rate clip_norm", Range.POSITIVE)
        check_numbers(self, "context warmup weight_decay vector_learning_rate", Range.NOT_NEGATIVE)
        check_numbers(self, "seed", Range.SEED)
        if self.characters == "lstm":
            check_numbers(self, "character_units", Range.EVEN)


PRESETS = {"default": NER()}


def load(
    data: Path | None, word_column: str = "0", tag_column: str = "-1", strict: bool = False
) -> Corpus:
    """A folder of CoNLL-style files of one's own, or CoNLL-2003."""
    if data is not None:
        return load_corpus(data, tag_column, strict, word_column)
    if (word_column, tag_column, strict) != ("0", "-1", False):
        options = "--word-column, --tag-column and --strict"
        raise UserError(f"{options} are for files of your own; give them with --data DIR")
    return load_conll2003()


def build(numbers: NER, table: WordTable, vocabulary: TaggerVocabulary) -> "keras.Model":
    """The model, with freshly drawn weights."""
    import keras

    from lstm_recipes.models.tagger import tagger

    keras.utils.set_random_seed(numbers.seed)
    names = "layer layers units character_size character_units topic_units context_dropout"
    names += " dropout recurrent_dropout crf"
    return tagger(
        len(vocabulary.tags),
        vector_size=table.matrix.shape[1],
        characters=len(vocabulary.characters) + 2,
        character_encoder=numbers.characters,
        allowed=allowed_transitions(vocabulary.tags, vocabulary.scheme),
        context_units=numbers.context_units if numbers.context else 0,
        precision=numbers.precision,
        **chosen(numbers, names),
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
    where: Devices = Devices(),  # noqa: B008  frozen
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
        where: On which devices.
    """
    from lstm_recipes.training.fit import Budget, fit
    from lstm_recipes.training.tagging import TaggingTask

    replicas = where.replicas()
    run = replicas.folder(run, resume)
    folder = RunFolder(run)
    if resume:
        stored = folder.resume(asdict(numbers), asdict(NER()))
        numbers = restored(NER, stored, folder / "config.json")
    numbers.check()
    budget = Budget(numbers.steps, numbers.epochs, numbers.minutes)
    corpus = load(data, word_column, tag_column, strict)
    vocabulary = TaggerVocabulary.of(corpus.train, numbers.scheme, numbers.cased, numbers.context)
    table = WordTable.of(corpus, vectors, numbers.vector_size, numbers.seed, numbers.cased)
    about = corpus.about | {"vectors": table.about(vectors)}
    if resume:
        remedy = "give the same --data to resume it, or start anew with --overwrite"
        folder.check_data(about, remedy)
        if (metrics := folder.finished()) is not None:
            return metrics
    else:
        folder.begin("ner", asdict(numbers), about, overwrite)
    keep(folder, corpus, vocabulary)
    found = f"tags in {corpus.scheme}, {corpus.repaired:,} of them repaired"
    print(f"{corpus.name}: {len(corpus.train):,} training sentences, {found}", file=sys.stderr)
    options = chosen(numbers, "batch_size seed weight_decay clip_norm word_dropout")
    options["vector_rate"] = numbers.vector_learning_rate / numbers.learning_rate
    with replicas.scope():
        model = build(numbers, table, vocabulary)
        task = TaggingTask(model, table, vocabulary, corpus, replicas=replicas, **options)
    options = chosen(numbers, "learning_rate warmup patience")
    options["validate_every"] = numbers.validate_every or task.steps_per_epoch
    trained = fit(task, folder, budget, replicas=replicas, **options)
    if not replicas.chief:
        return {}  # the chief measures
    return folder.finish(TrainedTagger(run).measure().scores | trained)


def evaluate(
    run: Path, /, split: Literal["test", "valid"] | None = None, errors: Path | None = None
) -> dict[str, Any]:
    """Measure a trained tagger: F1 over entities, by type, and its commonest mistakes.

    Args:
        run: The folder that train wrote.
        split: The sentences to measure it on; without it test, or valid where there is no test.
        errors: A file for the sentences with mistakes: word, right tag, found tag.
    """
    found = TrainedTagger(run).measure(split)
    if errors is not None:
        write_errors(errors, found.sentences, found.tags)
    return found.scores | {"commonest mistakes": found.mistakes()}


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
            "json" a line a sentence with places in characters and how sure the model is, and
            with its file's name if there are several.
        vectors: The pretrained vectors of the training, for words that the run did not keep.
    """
    from lstm_recipes.decoding.entities import WRITERS, read_documents, tag_document

    documents = read_documents(files, columns, word_column)
    tagger = TrainedTagger(run, vectors)
    for document in documents:
        WRITERS[output](document, tag_document(document, tagger), sys.stdout)


def export(
    run: Path, /, to: Target, out: Path | None = None, int8: bool = False, overwrite: bool = False
) -> dict[str, Any]:
    """Write a trained tagger for where Keras is not, with its tags, its words' vectors and a model
    card.

    Args:
        run: The folder that train wrote.
        to: "saved-model" for TensorFlow's servers, "litert" for phones, "onnx" for onnxruntime.
        out: The folder to write; without it export/FORMAT in the run's.
        int8: Make the kernels int8, a quarter of their size; for saved-model and litert.
        overwrite: Replace an export that is there.
    """
    trained = TrainedTagger(run)
    return export_run(trained.model, trained.folder, to, out, int8=int8, overwrite=overwrite)
