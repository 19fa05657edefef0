"""Names inside a bundle."""

MANIFEST = "manifest.json"
REPORT = "report.json"
GRAPH = "model.tfq"
TFLITE = "model.tflite"
BUILD = "build"
SCHEMA_VERSION = 1
