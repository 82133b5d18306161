"""Is the simulation good enough: convergence, two referees, the gate."""
