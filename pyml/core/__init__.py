"""Handles users hold: Tensor, Variable, program, gradients."""

from .autograd import custom_gradient, grad, gradients, stop_gradient, value_and_grad
from .programs import Program, program
from .symbolic import KerasTensor
from .tensor import Tensor, as_node, convert_to_tensor
from .variable import Variable

__all__ = ["KerasTensor", "Program", "Tensor", "Variable", "as_node", "convert_to_tensor", "custom_gradient", "grad", "gradients",
           "program", "stop_gradient", "value_and_grad"]  # fmt: skip
