"""A small parallel corpus: adjective, noun, verb; in the other language the noun comes first."""

import itertools
import random
from pathlib import Path

ADJECTIVES = {"red": "rouge", "old": "vieux", "big": "grand", "sad": "triste", "shy": "timide"}
NOUNS = {"cat": "chat", "dog": "chien", "bird": "oiseau", "man": "homme", "sea": "mer"}
VERBS = {"sleeps": "dort", "sings": "chante", "runs": "court", "eats": "mange"}


def sentences() -> list[tuple[str, str]]:
    """All hundred, in a fixed and mixed order."""
    pairs = [
        (f"{adjective} {noun} {verb}.", f"{NOUNS[noun]} {ADJECTIVES[adjective]} {VERBS[verb]}.")
        for adjective, noun, verb in itertools.product(ADJECTIVES, NOUNS, VERBS)
    ]
    random.Random(0).shuffle(pairs)
    return pairs


def write_pairs_folder(folder: Path) -> Path:
    """train, valid and test of 70, 15 and 15 sentences as parallel files."""
    folder.mkdir(parents=True, exist_ok=True)
    pairs = sentences()
    for name, part in (("train", pairs[:70]), ("valid", pairs[70:85]), ("test", pairs[85:])):
        for language, side in zip(("en", "fr"), zip(*part, strict=True), strict=True):
            (folder / f"{name}.{language}").write_text("\n".join(side) + "\n", "utf-8")
    return folder
