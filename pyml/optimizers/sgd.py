"""Gradient descent, with momentum."""

from pyml.optimizers.base import Optimizer


class SGD(Optimizer):
    """`w -= learning_rate * g`, or with momentum `m = momentum * m - learning_rate * g; w += m`.

    Args:
        learning_rate: A float, a schedule or a function.
        momentum: In `[0, 1]`.
        nesterov: Look ahead: `w += momentum * m - learning_rate * g`.
        Others: see `Optimizer`.

    Source: Sutskever et al. 2013, "On the importance of initialization and momentum".

    Example:
        >>> optimizer = pyml.optimizers.SGD(learning_rate=0.1)
        >>> w = pyml.Variable(1.0)
        >>> optimizer.apply([pyml.ops.convert_to_tensor(2.0)], [w])
        >>> round(float(w.numpy()), 4)
        0.8
    """

    def __init__(self, learning_rate=0.01, momentum=0.0, nesterov=False, weight_decay=None, clipnorm=None,
                 clipvalue=None, global_clipnorm=None, use_ema=False, ema_momentum=0.99,
                 ema_overwrite_frequency=None, loss_scale_factor=None, gradient_accumulation_steps=None,
                 name=None, **kwargs):
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
                         ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name, **kwargs)
        if not isinstance(momentum, (int, float)) or not 0 <= momentum <= 1:
            raise ValueError(f"SGD: momentum must be a number in [0, 1]. Received: momentum={momentum!r}")
        self.momentum = momentum
        self.nesterov = nesterov

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self.momentums = self.add_optimizer_variables(variables, "momentum") if self.momentum else []

    def update_step(self, gradient, variable, learning_rate):
        step = gradient * learning_rate
        if not self.momentum:
            self.assign_sub(variable, step)
            return
        momentum = self.momentums[self._get_variable_index(variable)]
        velocity = momentum * self.momentum - step
        self.assign(momentum, velocity)
        self.assign_add(variable, velocity * self.momentum - step if self.nesterov else velocity)
