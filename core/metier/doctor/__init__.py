"""What `metier doctor` examines: plugins, their requirements, weights, the machine, and what runs at start-up."""

from metier.doctor.report import Report, examine_all

__all__ = ["Report", "examine_all"]
