"""The experiments: one idea a file, each a sentence of theory, a measured table, a plot, and checks that it holds."""
