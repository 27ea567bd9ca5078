"""TensorFlow.js models: graph-models are read and run, layers-models are read and written."""
