"""How the schema came to be, step by step. A step is a file ``NNNN_name.py`` with its SQL beside it."""
