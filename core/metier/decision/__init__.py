"""What models take, measured on this machine: calibration, profiles and prices."""
