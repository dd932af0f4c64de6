"""Melodies of a small grammar, in letters as ABC has them, and what each letter must cost.

They are nobody's: drawn at random, with what folk tunes have that a model can learn: metre, bars,
harmony, cadences, and phrases that come again.
"""

from dataclasses import dataclass

import numpy as np

NOTES = "CDEFGABcdefgab"
RHYTHMS = {3: ((1, 1, 1), (2, 1), (1, 2)), 4: ((1, 1, 1, 1), (2, 1, 1), (1, 1, 2), (2, 2))}
FORMS = ("AABA", "AABB", "ABAB")
ROOTS = (0, 3, 4)
"""Of the chords of a phrase's first three bars, C being 0."""
CADENCES = (0, 4)
"""A phrase's last note."""
STEPS = {-2: 0.15, -1: 0.3, 0: 0.1, 1: 0.3, 2: 0.15}
BARS = 4  # of a phrase
ALPHABET = f"{NOTES}234|\n"


@dataclass(frozen=True)
class Melody:
    """A tune, and of each of its letters what the grammar's choice cost and where it stands."""

    text: str
    nats: np.ndarray
    """float ``[letters]``: minus the logarithm of the choice that wrote it. No model can have a
    smaller mean loss than the mean of these over all that the grammar writes."""
    bar: np.ndarray
    """int ``[letters]``: 0 to 15."""
    repeated: np.ndarray
    """bool ``[letters]``: whether its phrase has been heard before."""


class _Writer:
    """Writes letters, and keeps what they cost."""

    def __init__(self, draw: np.random.Generator):
        self.draw, self.letters, self.nats, self.due = draw, [], [], 0.0

    def choose(self, options: tuple, shares: np.ndarray | None = None):
        """One of them; the next letter pays for it."""
        shares = np.full(len(options), 1 / len(options)) if shares is None else shares
        k = int(self.draw.choice(len(options), p=shares))
        self.due -= float(np.log(shares[k]))
        return options[k]

    def write(self, letter: str) -> None:
        self.letters.append(letter)
        self.nats.append(self.due)
        self.due = 0.0


def melody(draw: np.random.Generator) -> Melody:
    """A tune of four phrases of four bars, of the form AABA, AABB or ABAB.

    Its first letter is the metre. A bar has a rhythm of its metre; it begins with a note of its
    chord, and goes on in steps. A phrase ends on the first or the fifth degree.

    >>> tune = melody(np.random.default_rng(0))
    >>> len(tune.text.split("|")), sorted(set(tune.bar.tolist())) == [*range(16)]
    (17, True)
    >>> bool((tune.nats[tune.repeated] == 0).all())
    False
    """
    writer = _Writer(draw)
    metre = writer.choose((3, 4))
    writer.write(str(metre))
    form, phrases, heard = "", {}, []
    for place in range(4):
        before = [f for f in FORMS if f.startswith(form)]
        nexts = tuple(sorted({f[place] for f in before}))
        shares = np.array([sum(f[place] == name for f in before) for name in nexts]) / len(before)
        name = writer.choose(nexts, shares)
        heard.append(name in phrases)
        form, first = form + name, len(writer.letters)
        if heard[-1]:
            for letter in phrases[name]:
                writer.write(letter)
        else:
            _phrase(writer, metre)
            phrases[name] = writer.letters[first:]
    writer.write("\n")
    text = "".join(writer.letters)
    ended = np.cumsum([letter == "|" for letter in text]) - [letter == "|" for letter in text]
    bar = np.minimum(ended, 4 * BARS - 1)
    return Melody(text, np.array(writer.nats), bar, np.array(heard)[bar // BARS])


def _phrase(writer: _Writer, metre: int) -> None:
    note = 4
    for root in ROOTS:
        for beat, length in enumerate(writer.choose(RHYTHMS[metre])):
            if beat == 0:
                note = _nearest(writer.choose((root, root + 2, root + 4)), note)
            else:
                steps = tuple(s for s in STEPS if 0 <= note + s < len(NOTES))
                shares = np.array([STEPS[s] for s in steps])
                note += writer.choose(steps, shares / shares.sum())
            writer.write(NOTES[note])
            if length > 1:
                writer.write(str(length))
        writer.write("|")
    for letter in (NOTES[_nearest(writer.choose(CADENCES), note)], str(metre), "|"):
        writer.write(letter)


def _nearest(degree: int, note: int) -> int:
    """A degree in the octave where it is nearest to a note."""
    places = range(degree % 7, len(NOTES), 7)
    return min(places, key=lambda place: (abs(place - note), place))
