"""Training: the run folder, the loop that loses nothing, schedules and progress."""
