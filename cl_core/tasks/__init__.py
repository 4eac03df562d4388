"""Tasks and streams: what is learnt, in which order, under which protocol.

`cl_core.tasks.stream_loader.load_stream` is the way in. Importing this package imports neither torch nor datasets.
"""
