"""Bytes from anywhere as Arrow columns of a dataset: what can be read, how it is cut up, and which column is which."""
