"""What is asked of a service, and what a right answer is."""
