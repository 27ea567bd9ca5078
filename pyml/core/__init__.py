"""Handles users hold: Tensor, Variable, program, gradients."""

from .autograd import grad, gradients, stop_gradient, value_and_grad
from .custom import custom_gradient
from .derivatives import hessian, jacfwd, jacobian, jacrev, jvp, vjp
from .named_gradients import grads, value_and_grads, variable_grads
from .programs import Program, program
from .recompute import RematScope, checkpoint, remat
from .stateless import StatelessScope, SymbolicScope
from .symbolic import KerasTensor
from .tape import GradientTape
from .tensor import Tensor, as_node, convert_to_tensor
from .variable import Variable

__all__ = [
    "GradientTape", "KerasTensor", "Program", "RematScope", "StatelessScope", "SymbolicScope", "Tensor", "Variable", "as_node",
    "checkpoint", "convert_to_tensor", "custom_gradient", "grad", "gradients", "grads", "hessian", "jacfwd", "jacobian", "jacrev",
    "jvp", "program", "remat", "stop_gradient", "value_and_grad", "value_and_grads", "variable_grads", "vjp",
]  # fmt: skip
