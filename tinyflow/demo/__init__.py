"""The model that `tinyflow demo` compiles: handwritten digits of 8 by 8 pixels.

    digits.onnx              a small CNN with BatchNorm, input [1, 1, 8, 8] float32, ten logits
    digits_calibration.npz   training samples, for calibration
    digits_test.npz          the held-out samples, never seen in training or calibration
    train.py                 makes all three again

Both data files hold `x` ([n, 1, 8, 8] float32, grey values 0 to 1) and `y` ([n] int64, the digit).
"""
