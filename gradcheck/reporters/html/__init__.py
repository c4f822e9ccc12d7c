"""The report as one page for a browser; needs the extra `html`, and imports it nowhere else."""
