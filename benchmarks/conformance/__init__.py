"""Conformance with ONNX: the backend node tests of the onnx package, run as far as to C.

    python -m benchmarks.conformance                    prints the verdicts, op by op
    python -m benchmarks.conformance Conv Max           of these ops alone, test by test
    python -m benchmarks.conformance --write            also writes docs/conformance.md and .json

Each test is one model with inputs and the outputs that the standard demands. It climbs four rungs:
the importer; the float graph, before and after all passes, which must give these outputs; the
integer reference of the quantized graph, which must be near the float graph; the C code for this
computer, which must equal the integer reference in every bit. A test that reaches the top has
passed. The verdicts do not vary from run to run.
"""
