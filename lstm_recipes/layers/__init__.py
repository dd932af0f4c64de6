"""Recurrent layers: one idea per file, and nothing but Keras below them."""

from lstm_recipes.layers.activations import cec_input, cec_output
from lstm_recipes.layers.attention import BahdanauAttention, LuongAttention
from lstm_recipes.layers.attention_cell import AttentionCell
from lstm_recipes.layers.attention_rnn import AttentionRNN
from lstm_recipes.layers.cec_lstm import CECLSTM, CECLSTMCell
from lstm_recipes.layers.convert import from_keras, to_keras
from lstm_recipes.layers.crf import CRF
from lstm_recipes.layers.forget_lstm import ForgetGateLSTM, ForgetGateLSTMCell
from lstm_recipes.layers.gru import GRU, GRUCell
from lstm_recipes.layers.peephole_lstm import PeepholeLSTM, PeepholeLSTMCell
from lstm_recipes.layers.recurrence import Recurrent
from lstm_recipes.layers.residual import Residual, ResidualCell

__all__ = [
    "CECLSTM",
    "CRF",
    "GRU",
    "AttentionCell",
    "AttentionRNN",
    "BahdanauAttention",
    "CECLSTMCell",
    "ForgetGateLSTM",
    "ForgetGateLSTMCell",
    "GRUCell",
    "LuongAttention",
    "PeepholeLSTM",
    "PeepholeLSTMCell",
    "Recurrent",
    "Residual",
    "ResidualCell",
    "cec_input",
    "cec_output",
    "from_keras",
    "to_keras",
]
