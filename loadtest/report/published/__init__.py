"""Other people's figures, set beside what slots say of them and what the lab measured."""
