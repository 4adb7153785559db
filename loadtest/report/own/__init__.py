"""What is said of a comparison of the user's own services: no claim is on trial there."""
