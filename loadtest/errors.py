"""What the lab's errors have in common."""

from __future__ import annotations

import errno
import re

DISK_FULL = (errno.ENOSPC, errno.EDQUOT)  # of an OSError: no space, or no more of it for this user


class LabError(Exception):
    """Foreseeable trouble. The message is one line: what is wrong, where, and what to do."""


def reason(error: LabError, subject: str) -> str:
    """The message on one line, without the subject's name, which will stand before it."""
    return re.sub(rf"^(service )?{re.escape(subject)}: ", "", " ".join(str(error).split()))
