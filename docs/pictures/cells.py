"""Draw the pictures of the layers, docs/pictures/*.svg, by hand: no plot, only lines and boxes.

    python docs/pictures/cells.py

One language for all of them. What is carried from step to step is a thick blue belt along the
top. Boxes are functions of what comes in (a kernel's product included), circles are elementwise:
⊙ and +. Two red bars are where no error goes back in time with `truncated_gradient=True`. Each
picture has a light ground of its own, so that it can be read on a light and on a dark page.
"""

import re
from pathlib import Path
from xml.sax.saxutils import escape

HERE = Path(__file__).parent
GROUND, INK, QUIET = "#fdfcf8", "#22303c", "#68747f"
BELT, GATE, CELL, HIDDEN, STOP = "#0072b2", "#c25400", "#5b4a9e", "#00795a", "#c2185b"
SANS = "system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
SERIF = "'STIX Two Text', 'Latin Modern Roman', Georgia, 'Times New Roman', serif"


class Picture:
    """What has been drawn so far; every method adds something to it."""

    def __init__(self, width: int, height: int, title: str, about: str):
        self.width, self.height = width, height
        self.parts = [
            f"<title>{escape(title)}</title>",
            f"<desc>{escape(about)}</desc>",
            f'<rect x="1" y="1" width="{width - 2}" height="{height - 2}" rx="14" '
            f'fill="{GROUND}" stroke="#cfd4d8"/>',
        ]

    def line(self, *points: tuple, color: str = INK, width: float = 2, arrow: bool = True, dash=""):
        """A line through the points with round corners, and a head at its end."""
        (x, y), *rest = points
        path, last = f"M{x:g} {y:g}", (x, y)
        for place, (x, y) in enumerate(rest):
            after = rest[place + 1] if place + 1 < len(rest) else None
            if after is None:
                path += f" L{x:g} {y:g}"
            else:
                a, b = toward((x, y), last, 8), toward((x, y), after, 8)
                path += f" L{a[0]:g} {a[1]:g} Q{x:g} {y:g} {b[0]:g} {b[1]:g}"
            last = (x, y)
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        self.parts.append(
            f'<path d="{path}" fill="none" stroke="{color}" stroke-width="{width:g}"{dashed}/>'
        )
        if arrow:
            self.head(points[-2], points[-1], color, 5 + 1.2 * width)

    def head(self, start: tuple, end: tuple, color: str, size: float) -> None:
        """An arrow's head, its point at the end."""
        (x, y), back = end, toward(end, start, size)
        dx, dy = (x - back[0]) / size, (y - back[1]) / size
        half = 0.48 * size
        corners = [
            (x, y),
            (back[0] - dy * half, back[1] + dx * half),
            (back[0] + dy * half, back[1] - dx * half),
        ]
        points = " ".join(f"{a:.4g},{b:.4g}" for a, b in corners)
        self.parts.append(f'<polygon points="{points}" fill="{color}"/>')

    def over(self, x: float, y: float) -> None:
        """A gap in what lies below, where another line crosses it."""
        self.parts.append(f'<circle cx="{x:g}" cy="{y:g}" r="6" fill="{GROUND}"/>')

    def dot(self, x: float, y: float, color: str = INK) -> None:
        """Where a line parts in two."""
        self.parts.append(f'<circle cx="{x:g}" cy="{y:g}" r="3.6" fill="{color}"/>')

    def box(self, x: float, y: float, text: str, color: str, width: int = 54, height: int = 34):
        """A function: its middle, its name."""
        self.parts.append(
            f'<rect x="{x - width / 2:g}" y="{y - height / 2:g}" width="{width}" height="{height}" '
            f'rx="6" fill="#ffffff" stroke="{color}" stroke-width="2"/>'
        )
        self.text(x, y + 5.5, text, color=color, size=17)

    def circle(self, x: float, y: float, sign: str, color: str = INK, radius: float = 14) -> None:
        """Something elementwise: "⊙" or "+"."""
        self.parts.append(
            f'<circle cx="{x:g}" cy="{y:g}" r="{radius:g}" fill="#ffffff" stroke="{color}" '
            'stroke-width="2"/>'
        )
        if sign == "⊙":
            self.parts.append(f'<circle cx="{x:g}" cy="{y:g}" r="3.4" fill="{color}"/>')
        elif sign == "+":
            arms = f"M{x - 7:g} {y:g} H{x + 7:g} M{x:g} {y - 7:g} V{y + 7:g}"
            self.parts.append(f'<path d="{arms}" stroke="{color}" stroke-width="2.4"/>')
        else:
            self.text(x, y + 5.5, sign, color=color, size=15)

    def stop(self, x: float, y: float, upright: bool = True) -> None:
        """Two bars across a line (upright: the line runs from left to right)."""
        for shift in (-3, 3):
            bar = f"M{x + shift:g} {y - 10:g} v20" if upright else f"M{x - 10:g} {y + shift:g} h20"
            self.parts.append(f'<path d="{bar}" stroke="{STOP}" stroke-width="3"/>')

    def text(
        self,
        x: float,
        y: float,
        text: str,
        color: str = INK,
        size: float = 18,
        anchor: str = "middle",
        plain: bool = False,
    ) -> None:
        """A formula, with _{…} and ^{…}; or plain words."""
        font, shown = (SANS, escape(text)) if plain else (SERIF, formula(text))
        self.parts.append(
            f'<text x="{x:g}" y="{y:g}" font-family="{font}" font-size="{size:g}" '
            f'text-anchor="{anchor}" fill="{color}">{shown}</text>'
        )

    def words(self, x: float, y: float, *lines: str, color: str = QUIET, anchor: str = "start"):
        """Lines of plain words."""
        for place, line in enumerate(lines):
            self.text(x, y + 17 * place, line, color, 13, anchor, plain=True)

    def __str__(self) -> str:
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" '
            f'width="{self.width}" height="{self.height}" role="img">'
        )
        return "\n".join([head, *self.parts, "</svg>", ""])


def toward(point: tuple, other: tuple, distance: float) -> tuple:
    """The point so far from the first one, on the way to the other."""
    (x, y), (a, b) = point, other
    length = ((a - x) ** 2 + (b - y) ** 2) ** 0.5
    return x + (a - x) * distance / length, y + (b - y) * distance / length


def formula(text: str) -> str:
    """Letters in italics, _{…} lowered and ^{…} raised; functions' names upright."""
    parts, shift = [], 0.0
    for kind, name, letters, other in _pieces(text):
        down = {"_": 5.0, "^": -7.0, "": 0.0}[kind]
        size = ' font-size="72%"' if kind else ""
        style = "" if letters else ' font-style="italic"'
        move = f' dy="{down - shift:g}"' if down != shift else ""
        parts.append(f"<tspan{move}{size}{style}>{escape(name or letters or other)}</tspan>")
        shift = down
    return "".join(parts)


def _pieces(text: str) -> list[tuple[str, str, str, str]]:
    """(sign, lowered or raised text, upright text, text in italics); one of the last three."""
    found = []
    for piece in re.split(r"([_^]\{.*?\}|tanh|softmax|σ|[\d.()+−=·⊙ \[\],;/]+)", text):
        if piece[:2] in ("_{", "^{"):
            found.append((piece[0], piece[2:-1], "", ""))
        elif re.fullmatch(r"tanh|softmax|σ|[\d.()+−=·⊙ \[\],;/]+", piece):
            found.append(("", "", piece, ""))
        elif piece:
            found.append(("", "", "", piece))
    return found


# --- the LSTMs ----------------------------------------------------------------------------------

TOP, JOIN, MIDDLE, GATES, BUS = 84, 156, 200, 244, 316
STOPPED = "here no error goes back in time with truncated_gradient=True"


def lstm(title: str, about: str, legend: str, forget: bool, peepholes: bool) -> Picture:
    """The three LSTMs, which differ in what is done to the belt and in who sees it."""
    p = Picture(780, 430, title, about)
    p.text(390, 32, title, size=16, plain=True)
    gates = {"i": 340, "c": 450, "o": 584} | ({"f": 220} if forget else {})
    # What comes in, and the line that hands it to every gate.
    first = min(gates.values())
    p.line((124, 366), (124, BUS), arrow=False)
    p.line((40, BUS), (584, BUS), (584, GATES + 17), color=INK)
    for name in gates:
        if name != "o":
            p.dot(gates[name], BUS)
            p.line((gates[name], BUS), (gates[name], GATES + 17))
    p.dot(124, BUS)
    p.stop(92, BUS)
    p.text(124, 388, "x_{t}")
    p.text(38, BUS - 16, "h_{t−1}", color=HIDDEN, anchor="start")
    p.words(first - 76, BUS + 22, "each box: its own kernel, recurrent kernel and bias")
    # The belt.
    p.line((40, TOP), (744, TOP), color=BELT, width=7)
    p.text(40, TOP - 20, "c_{t−1}", color=BELT, anchor="start")
    p.text(744, TOP - 20, "c_{t}", color=BELT, anchor="end")
    # Peepholes: thin lines from the belt into the gates.
    if peepholes:
        p.dot(140, TOP, BELT)
        p.line((140, TOP), (140, MIDDLE), (324, MIDDLE), (324, GATES - 17), color=BELT, width=1.6)
        p.dot(204, MIDDLE, BELT)
        p.line((204, MIDDLE), (204, GATES - 17), color=BELT, width=1.6)
        p.dot(512, TOP, BELT)
        p.line((512, TOP), (512, MIDDLE), (568, MIDDLE), (568, GATES - 17), color=BELT, width=1.6)
        for x, name in ((204, "p_{f}"), (324, "p_{i}"), (568, "p_{o}")):
            p.text(x - 6, 217, name, color=BELT, size=15, anchor="end")
        p.stop(140, 128, upright=False)
        p.stop(512, 128, upright=False)
    # Forget, or not.
    if forget:
        if peepholes:
            p.over(220, MIDDLE)
        p.line((220, GATES - 17), (220, TOP + 15), color=GATE)
        p.box(220, GATES, "σ", GATE)
        p.text(232, JOIN + 4, "f_{t}", color=GATE, anchor="start")
        p.circle(220, TOP, "⊙", BELT)
    else:
        p.circle(220, TOP, "1.0", BELT, radius=19)
        p.words(
            220, TOP + 40, "carried on by exactly 1.0,", "forwards and backwards", anchor="middle"
        )
    # What is written to it.
    p.line((340, GATES - 17), (340, JOIN), (381, JOIN), color=GATE)
    p.line((450, GATES - 17), (450, JOIN), (410, JOIN), color=CELL)
    p.line((395, JOIN - 14), (395, TOP + 15), color=CELL)
    p.box(340, GATES, "σ", GATE)
    p.box(450, GATES, "tanh" if forget else "g", CELL, width=62)
    p.text(330, JOIN + 4, "i_{t}", color=GATE, anchor="end")
    p.circle(395, JOIN, "⊙")
    p.circle(395, TOP, "+", BELT)
    # What is shown of it.
    p.dot(664, TOP, BELT)
    p.line((664, TOP), (664, 123), color=BELT, width=2.5)
    p.line((664, 157), (664, MIDDLE - 15), color=CELL)
    p.line((584, GATES - 17), (584, MIDDLE), (649, MIDDLE), color=GATE)
    p.line((664, MIDDLE + 14), (664, BUS), (744, BUS), color=HIDDEN, width=3.5)
    p.box(664, 140, "tanh" if forget else "h", CELL, width=62)
    p.box(584, GATES, "σ", GATE)
    p.circle(664, MIDDLE, "⊙")
    p.text(596, MIDDLE - 10, "o_{t}", color=GATE, anchor="start")
    p.text(744, BUS - 16, "h_{t}", color=HIDDEN, anchor="end")
    # What it means.
    p.stop(224, 383)
    p.words(240, 388, STOPPED)
    p.words(216, 412, legend)
    return p


def cec_lstm() -> Picture:
    return lstm(
        "CEC LSTM, 1997",
        "The cell state runs along the top as a belt and is multiplied by exactly 1.0. The input "
        "gate i, a sigmoid, multiplies the squashed cell input g, and the product is added to the "
        "belt. The output gate o multiplies the squashed cell state, which gives h. With the "
        "truncated gradient no error goes back through the last step's h.",
        "g(x) = 2 tanh(x/2) · h(x) = tanh(x/2) · σ: logistic · ⊙: elementwise product",
        forget=False,
        peepholes=False,
    )


def forget_lstm() -> Picture:
    return lstm(
        "LSTM with forget gates, 2000",
        "As the CEC LSTM, with a third gate: the forget gate f, a sigmoid, multiplies the cell "
        "state on the belt before anything is added to it.",
        "σ: logistic · ⊙: elementwise product",
        forget=True,
        peepholes=False,
    )


def peephole_lstm() -> Picture:
    return lstm(
        "LSTM with peepholes, 2000/2002",
        "As the LSTM with forget gates, with peepholes: the input and forget gates also see the "
        "cell state of the step before, the output gate that of this step, each multiplied by a "
        "vector p. With the truncated gradient no error goes back through a peephole.",
        "p: one weight a cell · σ: logistic · ⊙: elementwise product",
        forget=True,
        peepholes=True,
    )


# --- the GRU ------------------------------------------------------------------------------------


def gru() -> Picture:
    title = "GRU, 2014"
    p = Picture(
        780,
        592,
        title,
        "The hidden state h runs along the top as a belt. The update gate z, a sigmoid, multiplies "
        "it, and 1 − z multiplies the candidate, which is added. The candidate sees the last state "
        "through the reset gate r. Below, its two forms: with reset_after=True the recurrent "
        "kernel comes first and r multiplies its product; with reset_after=False r multiplies the "
        "state, and the recurrent kernel comes after it.",
    )
    p.text(390, 32, title, size=16, plain=True)
    p.line((96, 366), (96, BUS), arrow=False)
    p.line((60, TOP), (60, BUS), (560, BUS), (560, GATES + 17))
    p.dot(60, TOP, BELT)
    for x in (200, 340):
        p.dot(x, BUS)
        p.line((x, BUS), (x, GATES + 17))
    p.dot(96, BUS)
    p.text(96, 388, "x_{t}")
    p.words(210, BUS + 22, "each box: its own kernel, recurrent kernel and bias")
    p.line((40, TOP), (744, TOP), color=BELT, width=7)
    p.text(40, TOP - 20, "h_{t−1}", color=BELT, anchor="start")
    p.text(744, TOP - 20, "h_{t}", color=BELT, anchor="end")
    p.line((340, GATES - 17), (340, TOP + 15), color=GATE)
    p.dot(340, JOIN, GATE)
    p.line((340, JOIN), (431, JOIN), color=GATE)
    p.line((471, JOIN), (545, JOIN), color=GATE)
    p.box(451, JOIN, "1 −", GATE, width=40)
    p.line((560, GATES - 17), (560, JOIN + 15), color=CELL)
    p.line((560, JOIN - 14), (560, TOP + 15), color=CELL)
    p.line(
        (200, GATES - 17),
        (200, MIDDLE - 4),
        (480, MIDDLE - 4),
        (480, GATES),
        (528, GATES),
        color=GATE,
    )
    p.over(340, MIDDLE - 4)
    p.line((340, MIDDLE + 8), (340, MIDDLE - 16), color=GATE, arrow=False)
    p.box(200, GATES, "σ", GATE)
    p.box(340, GATES, "σ", GATE)
    p.box(560, GATES, "tanh", CELL, width=62)
    p.circle(340, TOP, "⊙", BELT)
    p.circle(560, TOP, "+", BELT)
    p.circle(560, JOIN, "⊙")
    p.text(352, 124, "z_{t}", color=GATE, anchor="start")
    p.text(212, MIDDLE - 14, "r_{t}", color=GATE, anchor="start")
    p.text(600, GATES - 2, "h̃_{t}, the candidate,", color=CELL, anchor="start", size=16)
    p.text(600, GATES + 18, "in one of two forms:", color=CELL, anchor="start", size=16)
    p.line((40, 408), (740, 408), color="#cfd4d8", width=1, arrow=False)
    for y, name, first, second in (
        (462, "reset_after=True (cuDNN's)", "U_{h} ·", "⊙"),
        (546, "reset_after=False (as published)", "⊙", "U_{h} ·"),
    ):
        p.words(40, y - 30, name, color=INK)
        p.text(40, y + 15, "h_{t−1}", color=BELT, anchor="start")
        p.line((82, y + 9), (230 - (24 if first != "⊙" else 15), y + 9))
        p.line((250, y + 9), (345 - (24 if second != "⊙" else 15), y + 9))
        p.line((360, y + 9), (450, y + 9))
        p.line((480, y + 9), (538, y + 9))
        p.line((602, y + 9), (662, y + 9), color=CELL)
        for x, what in ((230, first), (345, second)):
            if what == "⊙":
                p.circle(x, y + 9, "⊙", GATE)
                p.text(x + 18, y - 6, "r_{t}", color=GATE, size=16, anchor="start")
                p.line((x, y - 24), (x, y - 6), color=GATE)
            else:
                p.box(x, y + 9, what, INK, width=46, height=30)
        p.circle(465, y + 9, "+")
        p.line((465, y - 24), (465, y - 6))
        p.text(476, y - 8, "W_{h}x_{t} + b_{h}", size=15, anchor="start")
        p.box(570, y + 9, "tanh", CELL, width=62, height=30)
        p.text(672, y + 15, "h̃_{t}", color=CELL, anchor="start")
    return p


# --- attention, residual, CRF -------------------------------------------------------------------


def attention() -> Picture:
    title = "Attention: a query asks a memory (Bahdanau's score)"
    p = Picture(
        780,
        470,
        title,
        "Four memory vectors m stand in a row, the source. The query q goes to each of them: "
        "W q + U m, tanh, and a product with v give a score e. A softmax turns the scores into "
        "weights α, which multiply the memory vectors; their sum is the context c.",
    )
    p.text(390, 32, title, size=16, plain=True)
    columns, weights = (220, 340, 460, 580), (0.08, 0.62, 0.22, 0.08)
    p.words(40, 76, "memory", "(encoder's outputs)")
    p.text(44, 172, "q", color=HIDDEN, size=20)
    p.words(40, 196, "query", "(decoder's state)")
    p.line((60, 166), (columns[-1], 166), color=HIDDEN, width=2.5, arrow=False)
    p.words(626, 160, "e = v·tanh(Wq + Um)", "one score a place")
    p.words(626, 262, "the α sum to 1,", "0 where masked;", "thick: much of it")
    for j, (x, weight) in enumerate(zip(columns, weights, strict=True), 1):
        p.line((x, 92), (x, 148), color=BELT)
        p.line((x + 30, 72), (x + 40, 72), (x + 40, 340), (x + 15, 340), color=BELT, width=2)
        if x < columns[-1]:  # the query crosses it
            p.over(x + 40, 166)
            p.line((x + 32, 166), (x + 48, 166), color=HIDDEN, width=2.5, arrow=False)
        p.line((x, 184), (x, 208), color=GATE)
        p.line((x, 242), (x, 325), color=GATE, width=1 + 6 * weight)
        p.box(x, 72, f"m_{{{j}}}", BELT, width=60, height=38)
        p.box(x, 166, f"e_{{{j}}}", GATE, width=54)
        p.text(x - 10, 290, f"α_{{{j}}}", color=GATE, size=16, anchor="end")
        p.line((x, 354), (x, 396), color=BELT, arrow=False)
        p.circle(x, 340, "⊙")
    p.parts.append(
        f'<rect x="180" y="208" width="430" height="34" rx="6" fill="#fff" stroke="{GATE}" '
        'stroke-width="2"/>'
    )
    for x in columns[:-1]:  # the memory passes behind the softmax
        p.line((x + 40, 202), (x + 40, 248), color=BELT, arrow=False, dash="4 4")
    p.text(396, 230, "softmax over the source", color=GATE, size=15, plain=True)
    p.line((220, 396), (654, 396), color=BELT, width=2.5)
    p.circle(670, 396, "+", BELT)
    p.line((684, 396), (742, 396), color=BELT, width=3.5)
    p.text(744, 370, "c = α_{1}m_{1} + … + α_{4}m_{4}", color=BELT, anchor="end", size=16)
    p.words(
        40,
        446,
        "The context c has the memory's width; a decoder reads it beside its input.",
    )
    return p


def residual() -> Picture:
    title = "Residual stack, 2016"
    p = Picture(
        640,
        500,
        title,
        "Three recurrent layers one on top of the other. Beside each, its input goes up unchanged "
        "and is added to its output at the same time step. From step to step each layer hands on "
        "its own states alone, not the sum.",
    )
    p.text(320, 32, title, size=16, plain=True)
    p.text(320, 476, "x_{t}^{0}", size=20)
    for k, y in enumerate((388, 264, 140), 1):
        p.line((320, y + 64), (320, y + 20))
        p.line((320, y - 20), (320, y - 42))
        p.dot(320, y + 52, HIDDEN)
        p.line((320, y + 52), (420, y + 52), (420, y - 57), (335, y - 57), color=HIDDEN, width=3.5)
        p.line((80, y), (230, y), color=BELT, width=5)
        p.line((410, y), (560, y), color=BELT, width=5)
        p.parts.append(f'<rect x="408" y="{y - 9}" width="24" height="18" fill="{GROUND}"/>')
        p.line((406, y), (434, y), color=BELT, width=5, arrow=False)
        p.parts.append(
            f'<path d="M420 {y - 12} V{y + 12}" stroke="{GROUND}" stroke-width="9"/>'
            f'<path d="M420 {y - 14} V{y + 14}" stroke="{HIDDEN}" stroke-width="3.5"/>'
        )
        p.box(320, y, "", CELL, width=180, height=40)
        p.text(320, y + 5, f"layer {k}", CELL, 15, plain=True)
        p.circle(320, y - 57, "+", HIDDEN)
        p.text(40, y + 6, f"s_{{t−1}}^{{{k}}}", color=BELT, anchor="start")
        p.text(570, y + 6, f"s_{{t}}^{{{k}}}", color=BELT, anchor="start")
        p.text(308, y - 27, f"h_{{t}}^{{{k}}}", color=CELL, anchor="end", size=16)
    p.line((320, 69), (320, 46), color=INK)
    p.text(334, 58, "x_{t}^{3}", anchor="start")
    p.words(436, 424, "the input, as it is,", "at the same time step", color=HIDDEN)
    p.words(40, 424, "states, in time:", "without the sum", color=BELT)
    return p


def crf() -> Picture:
    title = "Linear-chain CRF: the best way through the tags"
    p = Picture(
        780,
        470,
        title,
        "A trellis: four words from left to right, three tags O, B and I from top to bottom. Each "
        "node is the emission score of a tag at a step; each edge is the transition score from one "
        "tag to the next; there are edges from the start and to the end. Edges that the tag scheme "
        "forbids, start to I and O to I, are missing. One path, B I O O, is thick: its "
        "score is the sum of its nodes and edges, and Viterbi finds the path with the most.",
    )
    p.text(390, 32, title, size=16, plain=True)
    steps, rows, tags = (210, 330, 450, 570), (110, 210, 310), ("O", "B", "I")
    best = (1, 2, 0, 0)
    start, end = (90, 210), (690, 210)
    edges = []
    for k in range(3):
        if k != 2:
            edges.append((start, (steps[0], rows[k]), k == best[0]))
        edges.append(((steps[3], rows[k]), end, k == best[3]))
    for t in range(3):
        for j in range(3):
            for k in range(3):
                if (j, k) != (0, 2):
                    thick = (j, k) == best[t : t + 2]
                    edges.append(((steps[t], rows[j]), (steps[t + 1], rows[k]), thick))
    for a, b, thick in sorted(edges, key=lambda edge: edge[2]):
        color, width = (BELT, 6) if thick else ("#aab4bc", 1.4)
        near, far = (36 if point in (start, end) else 26 for point in (a, b))
        p.line(toward(a, b, near), toward(b, a, far), color=color, width=width)
    for (x, y), name in ((start, "start"), (end, "end")):
        p.box(x, y, "", INK, width=62, height=38)
        p.text(x, y + 5, name, size=15, plain=True)
    for t, x in enumerate(steps):
        for k, y in enumerate(rows):
            on = best[t] == k
            p.parts.append(
                f'<circle cx="{x}" cy="{y}" r="23" fill="{"#dcebf5" if on else "#fff"}" '
                f'stroke="{BELT if on else GATE}" stroke-width="{3 if on else 2}"/>'
            )
            p.text(x, y + 5, tags[k], BELT if on else GATE, 16, plain=True)
        p.text(x, 366, f"e_{{{t + 1}}}", color=GATE)
        p.text(x, 398, ("Ada", "Lovelace", "wrote", "letters")[t], size=15, plain=True)
        p.text(x, 76, f"y_{{{t + 1}}}", color=BELT, size=16)
    p.text(70, 366, "emissions", size=13, color=QUIET, plain=True)
    p.words(
        40,
        432,
        "Nodes: emissions. Edges: transitions, start, end. What the tag scheme forbids (start → I,",
        "O → I) has no edge. The thick path is Viterbi's; Z sums over all paths.",
    )
    return p


PICTURES = {
    "cec_lstm": cec_lstm,
    "forget_lstm": forget_lstm,
    "peephole_lstm": peephole_lstm,
    "gru": gru,
    "attention": attention,
    "residual": residual,
    "crf": crf,
}


def main() -> None:
    """Write all of them."""
    for name, draw in PICTURES.items():
        (HERE / f"{name}.svg").write_text(str(draw()), "utf-8")


if __name__ == "__main__":
    main()
