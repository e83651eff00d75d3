"""How well drift is told from chance: measured by simulation, through the code that runs live."""
