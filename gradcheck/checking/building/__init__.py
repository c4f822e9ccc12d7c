"""From a case to a problem: what it means, its arrays, its function and its claims."""
