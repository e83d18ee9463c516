"""Trained networks: their families, their files and the engines that run them."""
