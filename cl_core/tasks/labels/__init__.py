"""Labels: cells as they were found, the classes they name, and what is said about odd ones."""
