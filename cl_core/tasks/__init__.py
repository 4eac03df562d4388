"""Tasks and streams: what is learnt, in which order, under which protocol.

`cl_core.tasks.load.load_stream` is the way in. Importing this package imports neither torch nor datasets.
"""
