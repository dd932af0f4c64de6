r"""Plain text as sentences of tokens, by a stated rule, with the place of each token.

The rule is close to that of the Penn Treebank, by which CoNLL-2003 was made.

**Tokens.** White space ends a token. What is left is cut so:

- A word is a run of letters, digits, underscores and the marks upon them, with single
  `-` `'` `’` `.` `&` `@` (and `.-`) inside it, and between digits also `,` `:` `/`. So
  `well-known`, `O'Brien`, `S&P`, `1,000.50`, `6-4`, `1996-08-30` and `7:30` are one token each.
  A number takes its sign and its leading point: `+44`, `-5`, `.500`.
- `n't` and `'s` `'m` `'d` `'re` `'ve` `'ll` at a word's end are tokens of their own.
- A word's last period is a token of its own, but not after an initial (`J.`), letters with
  periods (`U.S.`), a common abbreviation (`Mr.`), or a number of one or two digits that a line
  or sentence begins with (`1. Ajax`). At the end of a sentence it always is: `Apple Inc` `.`
- `US$`, `C$` and the like are one token, and so are web addresses, `--`, `...`, `?!`, an emoji
  with its modifiers and all that zero-width joiners tie to it, and a flag. Any other character
  is a token of its own.

Scripts that are written without spaces are cut at their punctuation alone.

**Sentences.** A sentence ends

- before a blank line; one line break alone is white space like any other, so that text may be
  wrapped at any width;
- after `.` `!` `?` `…` or the like, and the quotes and brackets that close right behind it, if
  white space follows and then anything but a small letter;
- after `。` `！` `？`, with or without white space;
- after an abbreviation (no title such as `Mr.`, and no initial), if the next word is one such as
  `The` or `He`, with a capital, which seldom stands inside a name.
"""

import re
import unicodedata
from functools import cache
from typing import NamedTuple


class Token(NamedTuple):
    """A token and its place: it is `text[start:end]` of the text that it was cut from."""

    text: str
    start: int
    end: int


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Capitals stand for capitals alone: `CO` and `Co` are read as `Co`, and `co` is not.
# After these a period belongs to the word, and the sentence goes on.
_TITLES = _words("""
    Adm Capt Cmdr Col Dr Drs Fr Gen Gov Hon Lt Maj Messrs Mlle Mme Mmes Mr Mrs Ms Mt Pres Prof Pvt
    Rep Reps Rev Sen Sens Sgt St Ste Supt Vs cf eg ie viz vs
""")
# After these as well, but they may end a sentence.
_ABBREVIATIONS = _words("""
    Jan Feb Apr Aug Sept Oct Nov Dec Ariz Calif Colo Conn Fla Mich Minn Okla Tex Wash Wis
    Ave Blvd Rd Assn Bros Co Corp Cos Dept Dist Esq Inc Intl Jr Ltd Mfg Natl Plc Sr Univ
    al approx etc
""")
# After these if a number follows.
_NUMBERED = _words("Art Ch Fig Figs No Nos P Para Pp Sec Vol Vols no nos p pp vol")
# Words that begin sentences often, and seldom follow an abbreviation within one.
_STARTERS = _words("""
    After Although And As At But By For From He Her His However If In It Its On She Since So That
    The Their Then There These They This Those To Under We What When While Who With You
""")
_END = ".!?…‼⁇⁈⁉।॥؟۔。！？"
_END_WITHOUT_SPACE = "。！？"
_CLOSING = frozenset("\"'”’»)]}›」』）")
_CLITIC = re.compile(r"(?i:n['’]t|['’](?:s|m|d|re|ve|ll))$")

# Where Unicode has marks that combine with the letter before them.
_MARKS = (*range(0x300, 0x3100), *range(0xA66F, 0x1E950), *range(0xE0100, 0xE01F0))

# What a token says about the end of its sentence.
_GOES_ON, _ENDS, _ENDS_AT_ONCE, _ABBREVIATED = range(4)


def tokenize(text: str) -> list[list[Token]]:
    """The sentences of a text, each a list of tokens, by the rule above.

    Every character that is no white space is in exactly one token, and the tokens stand in the
    order of the text. The time grows as the text does, whatever it consists of.

    >>> for sentence in tokenize("Dr. Li won't pay $1,000.50. She's in the U.S. now!"):
    ...     print(" ".join(token.text for token in sentence))
    Dr. Li wo n't pay $ 1,000.50 .
    She 's in the U.S. now !
    >>> tokenize("Hi, Bo")
    [[Token(text='Hi', start=0, end=2), Token(text=',', start=2, end=3),
      Token(text='Bo', start=4, end=6)]]
    """
    sentences: list[list[Token]] = []
    sentence: list[Token] = []
    before, state = 0, _GOES_ON  # where the last token ended, and what it said
    for match in _pattern().finditer(text):
        start, end = match.span()
        word, kind = match.group(), match.lastgroup

        if sentence and (
            (start - before > 1 and text.count("\n", before, start) > 1)
            or (state and _begins_sentence(text, before, start, word, state))
        ):
            sentences.append(_closed(sentence))
            sentence = []

        if kind is None:  # by far the most
            if state and not (sentence and start == before and word in _CLOSING):
                state = _GOES_ON
            sentence.append(Token(word, start, end))
        elif kind == "end":
            state = _ENDS_AT_ONCE if word[-1] in _END_WITHOUT_SPACE else _ENDS
            sentence.append(Token(word, start, end))
        elif kind == "apostrophe":
            state = _GOES_ON
            sentence += _without_clitics(word, start)
        else:
            first = not sentence or "\n" in text[before:start]
            state = _after_period(word[:-1], first, text[end : end + 2])
            if state == _ENDS:
                sentence += _without_clitics(word[:-1], start)
                sentence.append(Token(".", end - 1, end))
            else:
                sentence.append(Token(word, start, end))
        before = end
    if sentence:
        sentences.append(_closed(sentence))
    return sentences


def _begins_sentence(text: str, before: int, start: int, word: str, state: int) -> bool:
    """Whether a token begins a sentence after one that may have ended the last."""
    if state == _ABBREVIATED:
        return start > before and word in _STARTERS
    if start == before:
        return state == _ENDS_AT_ONCE and word not in _CLOSING
    first = text[start] if text[start].isalnum() else text[start + 1 : start + 2]
    return not first.islower()


def _after_period(word: str, first: bool, after: str) -> int:
    """What a word says that a period follows: `_ENDS` if the period is a token of its own."""
    name = word.capitalize() if word[0].isupper() else word
    if name in _TITLES or (len(word) == 1 and word.isupper()):
        return _GOES_ON
    if name in _ABBREVIATIONS or (word[-2:-1] == "." and word[-1].isalpha()):
        return _ABBREVIATED
    if name in _NUMBERED and after.lstrip()[:1].isdigit():
        return _GOES_ON
    if first and len(word) < 3 and word.isdecimal():
        return _GOES_ON
    return _ENDS


def _without_clitics(word: str, start: int) -> list[Token]:
    """A word and the clitics at its end, as in `I'd've`, as tokens."""
    tokens, end = [], len(word)
    while end > 1 and (match := _CLITIC.search(word, max(1, end - 3), end)):
        tokens.append(Token(match.group(), start + match.start(), start + end))
        end = match.start()
    tokens.append(Token(word[:end], start, start + end))
    return tokens[::-1]


def _closed(sentence: list[Token]) -> list[Token]:
    """The sentence with its last period as a token of its own, also after an abbreviation."""
    word, start, end = sentence[-1]
    if len(word) > 1 and word[-1] == "." and word[-2] not in _END:
        sentence[-1:] = [Token(word[:-1], start, end - 1), Token(".", end - 1, end)]
    return sentence


@cache
def _pattern() -> re.Pattern:
    """One token, or a word and what the functions above cut from it. It never goes back over
    what it has read, so the time is linear."""
    # `\w` knows no marks, without which no word of Hindi, say, is whole; and joiners and marks
    # of direction do not end a word.
    marks = "".join(c for c in map(chr, _MARKS) if unicodedata.category(c)[0] == "M")
    unseen = "\u00ad\u200c-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff"
    letter = rf"[a-zA-Z0-9\w{marks}{unseen}]"
    modifier = rf"[{marks}\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]"
    clitic = rf"['’](?i:s|m|d|re|ve|ll)(?!{letter})"
    inside = r"\.?[-‐‑]|[.&@]|(?P<apostrophe>['’])|(?<=\d)[,:/](?=\d)"
    return re.compile(
        r"[a-zA-Z]++(?=[\s,;])|,"  # most of an English text, tried first for speed
        r"|(?:https?://|www\.)[^\s<>\"]*[^\s<>\".,;:!?…)\]}'’”»]"
        r"|[A-Z]{1,3}\$(?![^\W\d])"
        rf"|(?:[+\-−]?\.?(?=\d))?{letter}+(?:(?:{inside}){letter}+)*(?P<period>\.(?!\.))?"
        rf"|(?P<end>[{_END}]+)"
        rf"|{clitic}|--+|\*\*+|==+"
        rf"|(?:[\U0001f1e6-\U0001f1ff]{{2}}|\S){modifier}*(?:\u200d(?:[^\s\w]{modifier}*)?)*"
    )
