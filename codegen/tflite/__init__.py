"""The quantized graph as a .tflite file."""
