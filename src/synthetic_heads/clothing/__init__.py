"""Clothes and glasses."""
