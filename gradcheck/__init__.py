"""gradcheck: checks gradients against central differences and says how sure it is.

The command line is in `gradcheck.cli`, `check` in `gradcheck.api`; nothing heavy is imported before it is used.
"""

from typing import TYPE_CHECKING

__version__ = "0.1.0"
__all__ = ["GradientError", "Report", "UsageError", "__version__", "check"]

if TYPE_CHECKING:
    from gradcheck.api import GradientError, Report, UsageError, check
else:

    def __getattr__(name):
        """The names of `gradcheck.api`, imported when the first of them is asked for (PEP 562)."""
        if name not in __all__:
            raise AttributeError(f"module 'gradcheck' has no attribute {name!r}")
        from gradcheck import api

        return getattr(api, name)

    def __dir__():
        return sorted({*globals(), *__all__})
