"""The model of a run: routing, composing and answering, for the engine and for new samples alike."""
