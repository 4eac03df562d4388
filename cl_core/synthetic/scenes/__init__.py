"""Small pictures, questions about them and short clips, made by a seeded generator: no downloads, no torch.

A scene (`scene.py`) is described before it is painted (`painter.py`), so captions (`captions.py`), questions
(`questions.py`) and clips (`clips.py`) are read off the description and are right by construction.
"""
