"""Penalties that keep an adapter near what it has learnt: EWC and LwF."""
