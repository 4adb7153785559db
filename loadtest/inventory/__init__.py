"""The services under test, their budgets, what they need to run, their colours."""
