"""The longer requests of the contract, prepared."""
