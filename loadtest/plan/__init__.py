"""What will be run: experiments read from files, and their schedule."""
