"""Who may come in and who may write: the gate before Streamlit's server, and what it says of visitors."""
