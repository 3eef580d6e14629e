"""Writing and answering on real mail hosts, in an office that the tests of this folder share: each has a customer of its own."""
