"""What is said of a failing tensor beside its verdict: what the mistake looks like, its pictures, its source."""
