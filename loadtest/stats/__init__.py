"""Arithmetic with sources: histograms, intervals, scalability."""
