"""What the page compiles when somebody trains with its first settings; `pyml build` ships it."""

import numpy as np
from model import build_model

model = build_model()
x, y = np.zeros((8500, 28, 28, 1), np.float32), np.zeros(8500, np.int32)
model.fit(x, y, batch_size=64, epochs=1, verbose=0, validation_data=(x[:1500], y[:1500]))  # all of it: the last batch is smaller
model.predict(x[:1500], batch_size=250, verbose=0)
model.predict(x[:1], verbose=0)  # a digit that somebody draws
