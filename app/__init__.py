"""The lab in the browser: shows and steers what `cl_core` computes; does no work of its own."""
