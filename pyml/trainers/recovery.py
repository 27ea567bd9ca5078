"""After a lost GPU device: the weights of the last finished epoch on a working device."""

from pyml import config
from pyml.errors import DeviceLost


async def recovered(model, error):
    """Puts the kept weights on a device that works and returns the error to raise."""
    kept = model._kept
    if kept is None:
        return error
    epoch, weights = kept
    try:
        backend = await config.reopen_async()
        for variable, value in zip(model.variables, weights, strict=True):
            variable.assign(value)
        model._forget_device()
    except Exception as failure:                       # the page may have no device left at all
        return DeviceLost(f"{error} The weights could not be restored: {failure}")
    return DeviceLost(
        f"{error} The model has the weights of the end of epoch {epoch} again, on '{backend}'; compile it and go on "
        f"with fit(initial_epoch={epoch})."
    )
