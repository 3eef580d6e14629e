"""What the product promises in speed and size, measured: ``make bench [NAME=…]``."""
