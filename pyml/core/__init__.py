"""Handles users hold: Tensor, Variable, program, gradients."""

from .autograd import grad, gradients, stop_gradient, value_and_grad
from .branches import checkpoint
from .custom import custom_gradient
from .derivatives import hessian, jacfwd, jacobian, jacrev, jvp, vjp
from .programs import Program, program
from .symbolic import KerasTensor
from .tape import GradientTape
from .tensor import Tensor, as_node, convert_to_tensor
from .variable import Variable

__all__ = ["GradientTape", "KerasTensor", "Program", "Tensor", "Variable", "as_node", "checkpoint", "convert_to_tensor",
           "custom_gradient", "grad", "gradients", "hessian", "jacfwd", "jacobian", "jacrev", "jvp", "program", "stop_gradient",
           "value_and_grad", "vjp"]  # fmt: skip
