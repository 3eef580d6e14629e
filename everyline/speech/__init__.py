"""Words spoken, by voices that come with packages or stand beside the product as programs of their own."""
