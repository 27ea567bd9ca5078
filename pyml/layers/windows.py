"""Arguments that convolution and pooling share: sizes, padding, data format, output lengths."""

from pyml.errors import ShapeError


def pair(value, name, owner):
    """An integer, or two, as a tuple of two positive integers.

    Raises:
        ValueError: It is something else.
    """
    sizes = (value, value) if hasattr(value, "__index__") and not isinstance(value, bool) else value
    try:
        sizes = tuple(int(size) for size in sizes)
    except (TypeError, ValueError):
        sizes = ()
    if len(sizes) != 2 or any(size <= 0 for size in sizes):
        raise ValueError(f"{owner}: {name} must be one or two positive integers. Received: {name}={value!r}")
    return sizes


def standard_padding(padding, owner):
    """`"valid"` or `"same"`.

    Raises:
        ValueError: It is something else.
    """
    text = str(padding).lower()
    if text not in ("valid", "same"):
        raise ValueError(f"{owner}: padding must be 'valid' or 'same'. Received: padding={padding!r}")
    return text


def standard_data_format(data_format, owner):
    """`"channels_last"`, the only layout there is.

    Raises:
        ValueError: Another layout was asked for.
    """
    if data_format in (None, "channels_last"):
        return "channels_last"
    raise ValueError(
        f"{owner}: only data_format='channels_last' is supported, arrays are (batch, height, width, channels). "
        f"Received: data_format={data_format!r}. Move the channels to the last axis."
    )


def output_length(length, window, stride, padding, dilation=1):
    """Outputs along one axis for `length` inputs, None when unknown."""
    if length is None:
        return None
    if padding == "same":
        return -(-length // stride)
    return (length - dilation * (window - 1) - 1) // stride + 1


def output_sizes(sizes, windows, strides, padding, dilations, layer):
    """Outputs along all spatial axes.

    Raises:
        ShapeError: A window is larger than its axis.
    """
    lengths = tuple(output_length(n, w, s, padding, d)
                    for n, w, s, d in zip(sizes, windows, strides, dilations, strict=True))
    if any(n is not None and n <= 0 for n in lengths):
        raise ShapeError(
            f'Layer "{layer.name}": a window of {windows} does not fit inputs of {tuple(sizes)} '
            f"(output would be {lengths}); use padding='same', a smaller window, or larger inputs."
        )
    return lengths
