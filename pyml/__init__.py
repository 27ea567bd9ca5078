"""pyml: the Keras 3 API on one WebGPU engine, in the browser and on the desktop."""
