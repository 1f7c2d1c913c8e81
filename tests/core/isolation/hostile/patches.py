"""Replaces functions of libraries that others use as well."""

import json
import os


def at_work(requests):
    import torch

    torch.matmul = torch.Tensor.__matmul__ = json.loads = os.getpid = None
