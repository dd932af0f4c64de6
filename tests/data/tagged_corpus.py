"""A small tagged corpus of invented names, for tests that must not need a real one."""

import random
from pathlib import Path

SYLLABLES = ("ba", "do", "fen", "gar", "hul", "ki", "lor", "mun", "pol", "rus", "sil", "tam", "wo")
ENDINGS = {"LOC": ("burg", "ia", "mouth"), "ORG": ("corp", "bank", "soft"), "MISC": ("ese", "ish")}
TEMPLATES = """\
PER said on Monday that ORG would leave LOC .
The MISC team beat LOC 3 - 1 .
ORG shares fell 4 percent in LOC .
PER , a MISC player , was born in LOC .
Police in LOC arrested PER .
PER joined ORG last year .
The price of oil rose again .
He met PER and PER in LOC .
LOC 1996-08-22
Analysts at ORG expect MISC exports to grow ."""
POS = {".": ".", ",": ",", "The": "DT", "a": "DT", "in": "IN", "of": "IN", "at": "IN", "on": "IN"}


def write_corpus(
    folder: Path, seed: int = 0, sentences: tuple[int, int, int] = (200, 40, 40)
) -> Path:
    """Write train.txt, valid.txt and test.txt in the four columns of CoNLL-2003, in IOB2.

    PER, LOC, ORG and MISC have different shapes, and each stands in places of its own, so a
    tagger can learn them from the characters or the words around them, also for a name that it
    has not seen. The first sentences use every template, so that each split has every type.
    The same seed gives the same bytes. Gives the folder back.
    """
    rng = random.Random(seed)
    folder.mkdir(parents=True, exist_ok=True)
    templates = TEMPLATES.split("\n")
    for name, count in zip(("train", "valid", "test"), sentences, strict=True):
        lines = ["-DOCSTART- -X- -X- O", ""]
        for number in range(count):
            template = templates[number] if number < len(templates) else rng.choice(templates)
            for word in template.split():
                lines += _rows(word, rng)
            lines.append("")
        (folder / f"{name}.txt").write_text("\n".join(lines) + "\n", "utf-8")
    return folder


def _rows(word: str, rng: random.Random) -> list[str]:
    """The rows of a template's word, which may stand for an entity."""
    if word not in ("PER", *ENDINGS):
        pos = "CD" if word[0].isdigit() else POS.get(word, "NN")
        return [f"{word} {pos} {'O' if pos in '.,' else 'B-NP'} O"]
    rows = []
    for place, name in enumerate(_name(word, rng)):
        prefix = "I" if place else "B"
        rows.append(f"{name} NNP {prefix}-NP {prefix}-{word}")
    return rows


def _name(kind: str, rng: random.Random) -> list[str]:
    """One to three words that name something of this type."""
    stem = "".join(rng.choices(SYLLABLES, k=2))
    if kind == "PER":
        return [rng.choice(("Ada", "Bela", "Carl", "Dina")), stem.title()][rng.randrange(2) :]
    name = [(stem + rng.choice(ENDINGS[kind])).title()]
    if kind == "ORG":
        name = [name[0].upper(), *(["Inc"] * rng.randrange(2))]
    if kind == "LOC" and rng.random() < 0.3:
        name = ["New", *name]
    return name
