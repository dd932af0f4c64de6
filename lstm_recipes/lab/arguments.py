"""The arguments that the laboratory measures, by the name that the command line knows."""

from lstm_recipes.lab.argument import Argument
from lstm_recipes.lab.both_directions import BOTH_DIRECTIONS
from lstm_recipes.lab.drift import DRIFT
from lstm_recipes.lab.folk import FOLK
from lstm_recipes.lab.forecasting import FORECASTING
from lstm_recipes.lab.forget_bias import FORGET_BIAS
from lstm_recipes.lab.gru_or_lstm import GRU_OR_LSTM
from lstm_recipes.lab.lstm_or_gpt2 import LSTM_OR_GPT2
from lstm_recipes.lab.peepholes_gain import PEEPHOLES_GAIN
from lstm_recipes.lab.recall_distance import RECALL_DISTANCE
from lstm_recipes.lab.rotated_resnet import ROTATED_RESNET
from lstm_recipes.lab.sequential import SEQUENTIAL
from lstm_recipes.lab.stacking import STACKING
from lstm_recipes.lab.stream import STREAM
from lstm_recipes.lab.two_megabytes import TWO_MEGABYTES
from lstm_recipes.lab.vanishing import VANISHING
from lstm_recipes.lab.window_or_state import WINDOW_OR_STATE

ARGUMENTS: dict[str, Argument] = {
    "vanishing-gradients": VANISHING,
    "state-drift": DRIFT,
    "sequential-operations": SEQUENTIAL,
    "lstm-or-gpt2-speed": LSTM_OR_GPT2,
    "two-megabytes": TWO_MEGABYTES,
    "time-series": FORECASTING,
    "folk-melodies": FOLK,
    "forget-bias": FORGET_BIAS,
    "rotated-resnet": ROTATED_RESNET,
    "stream-without-forgetting": STREAM,
    "recall-distance": RECALL_DISTANCE,
    "gru-or-lstm": GRU_OR_LSTM,
    "stacking": STACKING,
    "both-directions": BOTH_DIRECTIONS,
    "window-or-state": WINDOW_OR_STATE,
    "peepholes-gain": PEEPHOLES_GAIN,
}
