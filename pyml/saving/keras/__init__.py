"""Files of Keras: `.keras`, `.weights.h5` and `.h5`, written and read."""
