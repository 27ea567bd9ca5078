"""RMSprop, the default of `compile`."""

from pyml import ops
from pyml.optimizers.base import Optimizer


class RMSprop(Optimizer):
    """Steps by the gradient over the root of the mean of its square.

    Args:
        learning_rate: A float, a schedule or a function.
        rho: Share of the old mean kept per step.
        momentum: Momentum of the step.
        epsilon: Added under the root.
        centered: Divide by the deviation of the gradient instead of its size.
        Others: see `Optimizer`.

    Source: Hinton 2012, lecture 6 of "Neural Networks for Machine Learning".
    """

    def __init__(self, learning_rate=0.001, rho=0.9, momentum=0.0, epsilon=1e-7, centered=False,
                 weight_decay=None, clipnorm=None, clipvalue=None, global_clipnorm=None, use_ema=False,
                 ema_momentum=0.99, ema_overwrite_frequency=None, loss_scale_factor=None,
                 gradient_accumulation_steps=None, name=None, **kwargs):
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
                         ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name, **kwargs)
        self.rho = rho
        self.momentum = momentum
        self.epsilon = epsilon
        self.centered = centered

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self._velocities = self.add_optimizer_variables(variables, "velocity")
        self._momentums = self.add_optimizer_variables(variables, "momentum") if self.momentum > 0 else []
        self._averages_of_gradients = (
            self.add_optimizer_variables(variables, "average_gradient") if self.centered else [])

    def update_step(self, gradient, variable, learning_rate):
        index = self._get_variable_index(variable)
        velocity = self._velocities[index]
        v = self.rho * velocity + (1 - self.rho) * ops.square(gradient)
        self.assign(velocity, v)
        denominator = v + self.epsilon
        if self.centered:
            average = self._averages_of_gradients[index]
            mean = self.rho * average + (1 - self.rho) * gradient
            self.assign(average, mean)
            denominator = denominator - ops.square(mean)
        step = learning_rate * gradient * ops.rsqrt(denominator)
        if self.momentum > 0:
            momentum = self._momentums[index]
            step = self.momentum * momentum + step
            self.assign(momentum, step)
        self.assign_sub(variable, step)
