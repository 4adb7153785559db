"""What Locust finds: a class of users for each service, and the loads that change by themselves.

    locust -f loadtest/generator/locustfile.py --class-picker

Nothing else has a name here, as a target may be called by any.
"""

from loadtest.generator import users as _users
from loadtest.generator.shapes import RampToTheKnee, StepUp

__all__ = ["RampToTheKnee", "StepUp"]

globals().update(_users.CLASSES)
