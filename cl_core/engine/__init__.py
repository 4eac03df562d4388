"""The engine: carries out an experiment, artifact by artifact."""
