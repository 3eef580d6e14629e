"""Pages of a product with an admin and nothing else, which the tests of this folder share: each brings lines, queues and people of
its own."""
