"""What the project runs on itself: set-up, build and checks. Nothing here is part of the product."""
