"""A layer for the broken case files; its calls are never reached."""


def pick(x, labels):
    return x[range(len(labels)), labels]


def pick_backward(dout):
    return dout
