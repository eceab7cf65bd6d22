"""Plots of light curves and images."""
