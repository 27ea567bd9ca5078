"""What augmentation layers do to images, labels, boxes and masks for given transformations, run with Keras and with pyml.

Random numbers differ between libraries, so each case hands the layer what it would have drawn.
"""

import numpy as np
from golden_cases import uniform

IMAGES = ((uniform(7, (2, 6, 5, 3)) + 1) * 127.5).round()
FIRST = IMAGES.transpose(0, 3, 1, 2).copy()
MASKS = np.floor((uniform(8, (2, 6, 5, 1)) + 1) * 2)
BOXES = np.array([[[0.5, 1.0, 3.5, 4.0], [2.0, 0.0, 4.5, 5.5]], [[1.0, 2.0, 2.0, 4.5], [0.0, 0.5, 4.0, 3.0]]], "float32")
NAMES = np.array([[3, 1], [0, 2]], "int32")
SHAPE = (2, 6, 5, 3)


def each(value):
    """Numbers for the images, `(2, 1, 1, 1)`."""
    return np.array(value, "float32").reshape(2, 1, 1, 1)


def two(*values):
    return np.array(values, "float32")


def transformed(K, layer, transformation, images=IMAGES, masks=None, boxes=None, labels=None):
    """All that `layer` makes of the same transformation, handed over anew: Keras writes into it."""
    tensor = lambda v: K.ops.convert_to_tensor(v.copy()) if isinstance(v, np.ndarray) else v
    way = lambda: {key: tensor(value) for key, value in transformation.items()} if isinstance(transformation, dict) else transformation
    numbers = lambda v: np.round(np.asarray(K.ops.convert_to_numpy(v), "float32"), 4)
    found = {"images": numbers(layer.transform_images(tensor(images), way(), training=True))}
    if masks is not None:
        found["masks"] = numbers(layer.transform_segmentation_masks(tensor(masks), way(), training=True))
    if boxes is not None:
        given = {"boxes": tensor(boxes), "labels": tensor(NAMES)}
        given = layer.transform_bounding_boxes(given, way(), training=True)
        found |= {"boxes": numbers(given["boxes"]), "classes": numbers(given["labels"])}
    if labels is not None:
        found["labels"] = numbers(layer.transform_labels(tensor(labels), way(), training=True))
    return found


def flips(K):
    way = {"flips": np.array([True, False]).reshape(2, 1, 1, 1), "input_shape": SHAPE}
    make = lambda mode, **kwargs: K.layers.RandomFlip(mode, bounding_box_format="xyxy", **kwargs)
    return {mode: transformed(K, make(mode), way, masks=MASKS, boxes=BOXES)
            for mode in ("horizontal", "vertical", "horizontal_and_vertical")}


def rotation(K):
    turn = two(30.0, -100.0) * np.float32(np.pi / 180)
    cos, sin, zero = np.cos(turn), np.sin(turn), np.zeros(2, "float32")
    x, y = 2.0, 2.5
    matrix = np.stack([cos, -sin, x - x * cos + y * sin, sin, cos, y - x * sin - y * cos, zero, zero], 1).astype("float32")
    way = {"angle": two(30.0, -100.0), "rotation_matrix": matrix, "image_height": 6, "image_width": 5, "batch_size": 2}
    found = {f"{mode} {how}": transformed(K, K.layers.RandomRotation(0.3, mode, how, fill_value=9.0, bounding_box_format="xyxy"), way,
                                          masks=MASKS, boxes=BOXES)
             for mode, how in (("reflect", "bilinear"), ("constant", "nearest"), ("wrap", "bilinear"), ("nearest", "bilinear"))}
    found["first"] = transformed(K, K.layers.RandomRotation(0.3, data_format="channels_first"), way, FIRST)
    return found


def translation(K):
    way = {"translations": np.array([[1.5, -1.0], [-2.25, 0.5]], "float32"), "input_shape": SHAPE}
    return {form: transformed(K, K.layers.RandomTranslation(0.2, 0.2, "constant", bounding_box_format=form), way, masks=MASKS, boxes=boxes)
            for form, boxes in (("xyxy", BOXES), ("rel_xywh", BOXES / 8))}


def zoom(K):
    way = {"height_zoom": np.array([[0.7], [1.4]], "float32"), "width_zoom": np.array([[1.2], [0.5]], "float32"), "input_shape": SHAPE}
    return transformed(K, K.layers.RandomZoom(0.2, bounding_box_format="xyxy"), way, masks=MASKS, boxes=BOXES)


def shear(K):
    way = {"shear_factor": np.array([[0.3, 0.0], [-0.2, -0.4]], "float32"), "input_shape": SHAPE}
    return transformed(K, K.layers.RandomShear(0.2, 0.3, bounding_box_format="xyxy"), way, masks=MASKS, boxes=BOXES)


def perspective(K):
    start = np.array([[[0, 0], [4, 0], [0, 5], [4, 5]]] * 2, "float32")
    end = start + uniform(9, (2, 4, 2), 1.2)
    way = {"apply_perspective": np.array([True, True]), "start_points": start, "end_points": end, "input_shape": SHAPE}
    layer = K.layers.RandomPerspective(bounding_box_format="xyxy", fill_value=3.0)
    return {"both": transformed(K, layer, way, masks=MASKS, boxes=BOXES),
            "one": transformed(K, layer, way | {"apply_perspective": np.array([False, True])}, boxes=BOXES)}


def crop(K):
    layer = lambda height, width: K.layers.RandomCrop(height, width, bounding_box_format="xyxy")
    return {"inside": transformed(K, layer(3, 2), (1, 1), masks=MASKS, boxes=BOXES),
            "of its height": transformed(K, layer(6, 3), layer(6, 3).get_random_transformation(IMAGES)),
            "small": transformed(K, layer(9, 7), layer(9, 7).get_random_transformation(IMAGES))}


def light(K):
    L = K.layers
    found = {
        "brightness": (L.RandomBrightness(0.2), {"rgb_delta": each((40.0, -300.0))}),
        "contrast": (L.RandomContrast(0.2), {"contrast_factor": each((0.4, 1.7))}),
        "invert": (L.RandomInvert(), {"apply_inversion": np.array([True, False])}),
        "posterization": (L.RandomPosterization(3), {"shift_factor": np.array([5, 2], "uint8")}),
        "solarization": (L.Solarization(0.2, 0.2), {"additions": each((0.0, 50.0)), "thresholds": each((100.0, 180.0))}),
        "autocontrast": (L.AutoContrast(), None),
        "sharpness": (L.RandomSharpness(0.5), {"factor": two(0.9, 0.1)}),
        "blur": (L.RandomGaussianBlur(kernel_size=3), {"should_apply_blur": np.array([True, False]), "blur_factor": two(0.8, 0.8)}),
    }
    found = {name: transformed(K, layer, way) for name, (layer, way) in found.items()}
    whole = {"posterization": L.RandomPosterization(3, (0, 1)), "solarization": L.Solarization(0.2, 0.2, (-1, 1))}
    ways = {"posterization": {"shift_factor": np.array([5, 2], "uint8")},
            "solarization": {"additions": each((0.0, 50.0)), "thresholds": each((100.0, 180.0))}}
    # Pixels in the middle of a step: rounding must not take one to the step below.
    found |= {f"{name} range": transformed(K, layer, ways[name], (np.floor(IMAGES / 4) * 4 + 0.5) / 255) for name, layer in whole.items()}
    flat = IMAGES.copy()
    flat[0] = 7.0
    found["autocontrast flat"] = transformed(K, L.AutoContrast(), None, flat)
    found["sharpness first"] = transformed(K, L.RandomSharpness(0.5, data_format="channels_first"), {"factor": two(0.9, 0.1)}, FIRST)
    return found


def color(K):
    L = K.layers
    small = IMAGES / 255
    found = {
        "hue": (L.RandomHue(0.5), {"factor": two(0.3, -0.45)}, IMAGES),
        "hue first": (L.RandomHue(0.5, data_format="channels_first"), {"factor": two(0.3, -0.45)}, FIRST),
        "saturation": (L.RandomSaturation(0.5, (0, 1)), {"factor": two(0.5, 3.0)}, small),
        "saturation first": (L.RandomSaturation(0.5, (0, 1), "channels_first"), {"factor": two(0.5, 3.0)}, FIRST / 255),
        "degeneration": (L.RandomColorDegeneration(0.5), {"factor": each((0.25, 1.0))}, IMAGES),
    }
    found = {name: transformed(K, layer, way, images) for name, (layer, way, images) in found.items()}
    found["grayscale"] = transformed(K, L.RandomGrayscale(), K.ops.convert_to_tensor(each((1, 0)) > 0))
    return found


def histograms(K):
    L = K.layers
    clahe = lambda images, **kwargs: transformed(K, L.ContrastLimitedAdaptiveHistogramEqualization(**kwargs), None, images)
    dark = np.floor(IMAGES / 9) * 3
    flat = np.zeros_like(IMAGES) + 17
    return {
        "equalization": transformed(K, L.Equalization(), None, dark),
        "equalization bins": transformed(K, L.Equalization((0, 1), 32), None, dark / 128),
        "equalization first": transformed(K, L.Equalization(data_format="channels_first"), None, FIRST),
        "equalization flat": transformed(K, L.Equalization(), None, flat),
        # On PyTorch Keras takes the limit as a whole number, so here it is one: of 4 pixels a tile, 2 and 1.
        "clahe": clahe(dark, tile_grid_size=(3, 3), clip_limit=128.0),
        "clahe of parts": clahe(IMAGES, tile_grid_size=(4, 3), clip_limit=64.0),
        "clahe range": clahe(dark / 128, tile_grid_size=(1, 2), clip_limit=0, value_range=(0, 1)),
    }


def mixing(K):
    L = K.layers
    names = np.eye(2, 3, dtype="float32")
    order = np.array([1, 0], "int32")
    masks = np.zeros((2, 6, 5, 3), bool)
    masks[0, 1:4, 2:] = masks[1, :2, :3] = True
    cut = {"permutation_order": order, "batch_masks": masks, "mix_weight": each((0.7, 0.8))}
    mix = {"permutation_order": order, "mix_weight": two(0.25, 0.9)}
    erased = {"apply_erasing": np.array([True, False]), "batch_masks": masks, "fill_value": uniform(3, (2, 6, 5, 3), 50.0)}
    many = {"boxes": K.ops.convert_to_tensor(BOXES), "labels": K.ops.convert_to_tensor(NAMES)}
    found = {"cut": transformed(K, L.CutMix(), cut, masks=MASKS, labels=names), "mix": transformed(K, L.MixUp(), mix, labels=names),
             "erased": transformed(K, L.RandomErasing(), erased)}
    for number in (1, 3):
        boxes = L.MaxNumBoundingBoxes(number, bounding_box_format="xyxy").transform_bounding_boxes(dict(many), None)
        found[f"boxes {number}"] = {key: np.asarray(K.ops.convert_to_numpy(value)) for key, value in boxes.items()}
    return found


def policies(K):
    layer = K.layers.RandAugment(num_ops=2)
    tensor = K.ops.convert_to_tensor
    ways = {
        "random_shear": {"shear_factor": tensor(np.zeros((2, 2), "float32")), "input_shape": SHAPE},
        "random_translation": {"translations": tensor(np.zeros((2, 2), "float32")), "input_shape": SHAPE},
        "random_contrast": {"contrast_factor": tensor(each((0.4, 1.7)))},
        "random_sharpness": {"factor": tensor(two(0.9, 0.1))}, "auto_contrast": None,
    }
    found = {"two": transformed(K, layer, {"transforms": ways, "layer_idxes": tensor(np.array([3, 2]))})}
    layer = K.layers.AugMix(num_chains=2)
    chain = lambda *names: [{"layer_name": name, "transformation": ways[name]} for name in names]
    mix = {"chain_mixing_weights": two(0.3, 0.7), "weight_sample": np.array(0.4, "float32"),
           "chain_transforms": [chain("random_contrast", "random_sharpness"), chain("auto_contrast")]}
    return found | {"mix": transformed(K, layer, mix)}


CASES = [flips, rotation, translation, zoom, shear, perspective, crop, light, color, histograms, mixing, policies]
