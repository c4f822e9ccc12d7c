"""The conventions as tables: how published code calls its functions, methods, arguments and attributes.

Names of arguments are in lower case. What a table is used for is said where it is used.
"""

from itertools import product

# forward → backward, as the end of a function's name, or as its beginning; the first pair that the file has
SUFFIXES = (
    ("_forward", "_backward"), ("_fwd", "_bwd"), ("_forward", "_grad"), ("_forward_pass", "_backward_pass"),
    ("_fprop", "_bprop"), ("Forward", "Backward"),
    ("", "_backward"), ("", "_bwd"), ("", "_vjp"), ("", "_grad"), ("", "_gradient"), ("", "_prime"),
    ("", "_derivative"), ("", "_deriv"), ("", "_der"),
)  # fmt: skip
PREFIXES = (("", "d"), ("", "d_"), ("", "grad_"), ("", "der_"), ("forward_", "backward_"), ("forward", "backward"))

# what a method that computes a value is called beside one that gives its derivative
VALUES = (
    "forward", "compute", "loss", "value", "fn", "func", "function", "f", "calculate", "evaluate", "apply", "activate",
    "activation", "compute_loss", "cost", "direct", "__call__",
)  # fmt: skip
DERIVATIVES = ("gradient", "grad", "derivative", "prime", "deriv", "der")

# else words anywhere in the two names: conv_forward_naive and conv_backward_naive, compute_cost and compute_gradient;
# the last says that the forward gives one value and no more
PARTNER_WORDS = (
    (("forward", "fwd", "fw", "fprop", "cached"), ("backward", "bwd", "bw", "bprop"), False),
    (("cost", "loss", "objective"), ("gradient", "gradients", "grad", "grads"), True),
)
NAMING = ("compute", "calculate", "calc", "get", "func", "function", "fn")  # words of a name that say nothing

# methods of a class, the first pair that it has; each name may also be static
METHODS = (
    ("forward", "backward"), ("forward_pass", "backward_pass"), ("fprop", "bprop"), ("forward", "backprop"),
    ("forward_propagation", "backward_propagation"), ("forward_prop", "backward_prop"), ("__call__", "backward"),
    ("forw_prop", "back_prop"), ("forward_prop", "back_prop"), ("forward_pass", "back_propagation"),
    ("forward_propagation", "back_propagation"), ("forward_propagate", "backward_propagate"),
    ("forward_propagate", "back_propagate"), ("feed_forward", "back_propagate"), ("feed_forward", "back_propagation"),
    ("feed_forward", "backprop"), ("feedforward", "backprop"), ("feedforward", "backpropagation"),
    ("propagate", "backpropagate"), ("forward", "back"), ("forward", "back_prop"), ("forward", "back_propagation"),
    ("forward", "backpropagate"), ("forward", "bprop"), ("forward", "backward_pass"),
    *product(VALUES, DERIVATIVES),
    ("compute_loss", "backward"), ("loss", "backward"), ("loss", "dloss"), ("cost", "dcost"), ("fn", "dfn"),
    ("f", "df"), ("func", "dfunc"), ("compute_loss", "compute_gradient"), ("loss", "loss_derivative"),
)  # fmt: skip
# tensor libraries, as a class or a decorator of theirs tells them
TORCH_MODULE = "torch.nn.Module"
TORCH = (TORCH_MODULE, "torch.autograd.Function", "torch.autograd.function.Function")
JAX = ("jax.custom_vjp", "jax.custom_jvp", "jax.custom_gradient", "jax.jit")
# methods of an object that computes with tensors, and leaves their gradients to the library
ON_TENSORS = ("forward", "__call__", "loss")

# methods that give the local gradient, still to be multiplied by the upstream one
LOCAL = ("gradient", "grad", "derivative", "prime", "deriv", "der", "_prime", "_derivative", "_deriv", "_der")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# arguments
UPSTREAM = _words(
    """dout d_out dy dz da dl dh ds g delta deltas error upstream cotangent accum_grad gradient dvalues dldy dldz
    top_grad dloss doutput dnext derror"""
)
UPSTREAM_UNLESS_KNOWN = frozenset({"d"})  # where no input, size or option is called so: it might be a dimension
UPSTREAM_PARTS = ("grad", "delta", "error", "dnext")  # anywhere in the name
CACHES = _words("cache caches ctx context res residuals residual saved memory memo meta state tape store aux")
OUTPUTS = _words("out output a s activated activation act result")
TARGETS = _words(
    """y t target targets label labels y_true ytrue true truth actual expected y_train ground_truth y_target y_expected
    y_actual y_real output_expected expected_output expected_outputs desired desired_output target_output labels_true
    true_labels y_label y_labels onehot one_hot y_onehot y_one_hot gold"""
)
RATES = _words("lr learning_rate learn_rate rate step_size")
TRAINING = _words("train training is_training is_train train_mode")
OPTION_DICTS = ("_param", "_params", "options", "config", "hparams", "conf")  # the end of the name

# attributes of a layer, the likeliest first
OUTPUT_ATTRIBUTES = ("output", "out", "Z", "A", "Y", "a", "y", "z", "outputs", "activation")
OUTPUT_WORDS = ("output", "out", "outputs")  # those of them that can be nothing else
INPUT_GRADIENTS = ("dinputs", "dinput", "dX", "dx", "dA_prev", "grad_input", "d_input", "grad_x")
GRADIENT_LISTS = ("grads", "gradients", "grad", "dparams")
PARAMETER_LISTS = ("params", "parameters", "weights")
# methods without arguments: all parameters, and their gradients in the same order
PARAMETER_METHODS = (
    ("params", "param_grads"), ("params", "grads"), ("parameters", "gradients"), ("parameters", "grads"),
    ("params", "gradients"), ("get_params", "get_grads"), ("get_params", "get_gradients"),
    ("get_parameters", "get_gradients"), ("get_parameters", "get_grads"), ("get_weights", "get_gradients"),
)  # fmt: skip
# a class with one of these in its name is a loss
LOSSES = ("loss", "entropy", "criterion", "mse", "nll")
