"""The public page: what it shows, how that is drawn, and how it is served without anything else."""
