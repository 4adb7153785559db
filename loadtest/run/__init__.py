"""Carries a plan out, one trial after another."""
