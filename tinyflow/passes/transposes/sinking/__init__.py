"""How nodes compute on operands as they are stored, whatever order of axes they see."""
