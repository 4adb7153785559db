"""From a finished run to its page, its files and its lines on the console."""
