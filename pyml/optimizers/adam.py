"""Adam and AdamW."""

import math

from pyml import ops
from pyml.optimizers.base import Optimizer


class Adam(Optimizer):
    """Steps by the mean of the gradient over the root of the mean of its square, both corrected for their start.

    Args:
        learning_rate: A float, a schedule or a function.
        beta_1, beta_2: Share of the old means kept per step.
        epsilon: Added to the root.
        amsgrad: Divide by the largest root so far.
        Others: see `Optimizer`.

    Source: Kingma and Ba 2014, "Adam: A Method for Stochastic Optimization"; Reddi et al. 2018 for AMSGrad.
    """

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, amsgrad=False,
                 weight_decay=None, clipnorm=None, clipvalue=None, global_clipnorm=None, use_ema=False,
                 ema_momentum=0.99, ema_overwrite_frequency=None, loss_scale_factor=None,
                 gradient_accumulation_steps=None, name=None, **kwargs):
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
                         ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name, **kwargs)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.amsgrad = amsgrad

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self._momentums, self._velocities = self.add_optimizer_variables(variables, ["momentum", "velocity"])
        self._velocity_hats = self.add_optimizer_variables(variables, "velocity_hat") if self.amsgrad else []

    def _update(self, grads, variables):
        # one corrected rate for all variables; 1 - beta^t through expm1, which keeps its digits for small t
        step = ops.cast(self.iterations + 1, "float32")
        self._rate = self.learning_rate * ops.sqrt(one_minus_power(self.beta_2, step))
        self._rate = self._rate / one_minus_power(self.beta_1, step)
        super()._update(grads, variables)

    def update_step(self, gradient, variable, learning_rate):
        index = self._get_variable_index(variable)
        momentum, velocity = self._momentums[index], self._velocities[index]
        m = momentum + (gradient - momentum) * (1 - self.beta_1)
        v = velocity + (ops.square(gradient) - velocity) * (1 - self.beta_2)
        self.assign(momentum, m)
        self.assign(velocity, v)
        if self.amsgrad:
            largest = self._velocity_hats[index]
            v = ops.maximum(largest, v)
            self.assign(largest, v)
        self.assign_sub(variable, m * self._rate / (ops.sqrt(v) + self.epsilon))


class AdamW(Adam):
    """Adam with decoupled weight decay. Source: Loshchilov and Hutter 2017."""

    def __init__(self, learning_rate=0.001, weight_decay=0.004, beta_1=0.9, beta_2=0.999, epsilon=1e-7,
                 amsgrad=False, clipnorm=None, clipvalue=None, global_clipnorm=None, use_ema=False,
                 ema_momentum=0.99, ema_overwrite_frequency=None, loss_scale_factor=None,
                 gradient_accumulation_steps=None, name=None, **kwargs):
        super().__init__(learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay, clipnorm, clipvalue,
                         global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency, loss_scale_factor,
                         gradient_accumulation_steps, name, **kwargs)
        if self.weight_decay is None:
            raise ValueError("AdamW: weight_decay must be a number; use Adam for none.")


def one_minus_power(base, exponent):
    """`1 - base**exponent` for a Python `base` in `[0, 1)` and a tensor `exponent` >= 1."""
    return -ops.expm1(exponent * math.log(base)) if base > 0 else 1.0
