"""Networks: one folder per model, with its maps known to nobody else."""
