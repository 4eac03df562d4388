"""Backbones: frozen encoders behind one small interface, the sites where adapters attach, and features.

Importing this package imports neither torch nor transformers; its modules import what they need.
"""
