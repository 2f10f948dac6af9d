"""Backgrounds."""
