"""Reads the text in pictures: the task `ocr`, and a model for it."""

from acme_ocr.ocr import Line, Ocr, OcrText

__all__ = ["Line", "Ocr", "OcrText"]
