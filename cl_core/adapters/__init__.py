"""Adapters: the bottleneck, one task's adapter, the bank of K, and how the K are composed.

Importing this package needs no torch; its modules import it.
"""
