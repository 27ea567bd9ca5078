"""Recurrent layers: cells that do one step, and layers that run them over sequences."""

from pyml.layers.recurrent.cells import GRUCell, LSTMCell, SimpleRNNCell
from pyml.layers.recurrent.layers import GRU, LSTM, SimpleRNN
from pyml.layers.recurrent.rnn import RNN
from pyml.layers.recurrent.stacked import StackedRNNCells

__all__ = ["GRU", "GRUCell", "LSTM", "LSTMCell", "RNN", "SimpleRNN", "SimpleRNNCell", "StackedRNNCells"]
