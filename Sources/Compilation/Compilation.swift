// The compiler of `.ingot` files: it ties graph, quantisation, container and the checks of quality together.
