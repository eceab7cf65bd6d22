"""Running a plan: the scheduler, task processes, publishing."""
