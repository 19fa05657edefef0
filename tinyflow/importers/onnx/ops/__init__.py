"""Handlers of ONNX operations: each takes a layer and emits its nodes.

A handler's docstring is the rule that the supported-operators page prints.
"""
