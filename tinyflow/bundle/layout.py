"""Names inside a bundle."""

MANIFEST = "manifest.json"
REPORT = "report.json"
GRAPH = "model.tfq"
BUILD = "build"
SCHEMA_VERSION = 1
