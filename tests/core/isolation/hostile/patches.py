"""Replaces functions of libraries that others use as well."""

import json
import os

from metier_contracts import Classification, hookimpl


class Hostile:
    def infer(self, requests, context):
        import torch

        torch.matmul = torch.Tensor.__matmul__ = json.loads = os.getpid = None
        return [Classification(label="good", scores={"good": 1.0, "bad": 0.0}) for _ in requests]

    def resident_bytes(self):
        return 10

    def close(self):
        pass


@hookimpl
def metier_load(card, placement):
    return Hostile()
