"""Happens: verbs as plain functions, the actor first. The only writers of models; they flush, they never commit."""
