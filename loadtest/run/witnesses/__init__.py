"""What was seen beside a trial: the machine, the generator, the service, the requests."""
