"""Pages of the demonstration with its sample company, which the tests of this folder share."""
