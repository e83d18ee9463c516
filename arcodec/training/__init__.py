"""Maximum likelihood by stochastic gradient descent."""
