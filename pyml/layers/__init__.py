"""Layers, with Keras' names and defaults. Images are `(batch, height, width, channels)`."""

from typing import TYPE_CHECKING

from pyml.core.symbolic import KerasTensor as KerasTensor
from pyml.layers.activation import *
from pyml.layers.adaptive_pooling import *
from pyml.layers.attention import *
from pyml.layers.batch_normalization import *
from pyml.layers.bidirectional import *
from pyml.layers.borders import *
from pyml.layers.conv import *
from pyml.layers.conv_transpose import *
from pyml.layers.dense import *
from pyml.layers.depthwise import *
from pyml.layers.einsum_dense import *
from pyml.layers.embedding import *
from pyml.layers.global_pooling import *
from pyml.layers.group_query_attention import *
from pyml.layers.input_layer import *
from pyml.layers.input_spec import *
from pyml.layers.joining import *
from pyml.layers.later import find as _find
from pyml.layers.later import names as _names
from pyml.layers.layer import *
from pyml.layers.lookup import *
from pyml.layers.masking import *
from pyml.layers.merging import *
from pyml.layers.normalization import *
from pyml.layers.plain import *
from pyml.layers.pooling import *
from pyml.layers.recurrent import *
from pyml.layers.regularization import *
from pyml.layers.reshaping import *
from pyml.layers.reversible_embedding import *
from pyml.layers.simple_attention import *
from pyml.layers.sizes import *
from pyml.layers.spectral_normalization import *
from pyml.layers.time_distributed import *
from pyml.layers.volumes import *
from pyml.layers.wrapper import *

if TYPE_CHECKING:  # what `__getattr__` finds: the table is in `later.py`
    from pyml.layers.augmentation.affine import *
    from pyml.layers.augmentation.blur import *
    from pyml.layers.augmentation.boxes import *
    from pyml.layers.augmentation.color import *
    from pyml.layers.augmentation.crop import *
    from pyml.layers.augmentation.flip import *
    from pyml.layers.augmentation.histograms import *
    from pyml.layers.augmentation.light import *
    from pyml.layers.augmentation.mixing import *
    from pyml.layers.augmentation.perspective import *
    from pyml.layers.augmentation.policies import *
    from pyml.layers.legacy import *
    from pyml.layers.pipeline import *
    from pyml.layers.preprocessing.category_encoding import *
    from pyml.layers.preprocessing.center_crop import *
    from pyml.layers.preprocessing.discretization import *
    from pyml.layers.preprocessing.hashing import *
    from pyml.layers.preprocessing.lookups import *
    from pyml.layers.preprocessing.resizing import *
    from pyml.layers.preprocessing.scaling import *
    from pyml.layers.preprocessing.spectrograms import *
    from pyml.layers.preprocessing.text_vectorization import *
    from pyml.layers.recurrent.convolution import *
else:
    __getattr__, __dir__ = _find, _names
