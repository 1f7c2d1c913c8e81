"""What `metier plugin new` writes: a distribution that installs, passes its tests and answers as it is.

`names` checks what it is to be called, `project` writes it from `templates/`: there the folder `base` holds what every
distribution has, `every-template/TASK` what those of one task share, `TEMPLATE/every-task` what those of one template
share, and `TEMPLATE/TASK` the rest.
"""
