"""The study of one paper's protocol: Tiny Classifier circuits of at most 300 gates on nine data sets."""

from dwn_asic.study.tiny_classifier.protocol import PROTOCOL

__all__ = ["PROTOCOL"]
