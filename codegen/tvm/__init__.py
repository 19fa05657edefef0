"""The TVM backend for microcontrollers: each layer as TensorIR, printed as plain C by TVM.

Importing a module of this package needs the packages of the extra 'tvm'.
"""
