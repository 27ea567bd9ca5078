"""Products of matrices: integers stay integers, batches broadcast."""

import numpy as np
from golden_cases import labels, uniform
from op_calls import call

CASES = {
    "matmul": call("ops.matmul", uniform(1, (3, 5)), uniform(2, (5, 2))),
    "matmul_batched": call("ops.matmul", uniform(1, (4, 1, 3, 5)), uniform(2, (2, 5, 7))),
    "matmul_int": call("ops.matmul", labels(3, 12, 9).reshape(3, 4), labels(4, 8, 9).reshape(4, 2)),
    "matmul_int_float": call("ops.matmul", labels(3, 12, 9).reshape(3, 4), uniform(4, (4, 2))),
    "matmul_empty": call("ops.matmul", np.zeros((3, 0), "float32"), np.zeros((0, 2), "float32"), grad=False),
    "tensordot_2": call("ops.tensordot", uniform(5, (2, 3, 4)), uniform(6, (3, 4, 5)), axes=2),
    "einsum_diagonal": call("ops.einsum", "iij->ij", uniform(7, (4, 4, 3))),
}
