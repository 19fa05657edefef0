"""The process in which TensorFlow runs; only this package imports it."""
