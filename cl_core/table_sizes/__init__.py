"""How large tables of arrow and parquet become, looked at before they are read."""
