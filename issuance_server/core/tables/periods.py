"""Days between which a line of a table holds."""

from dataclasses import dataclass
from datetime import date, timedelta

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """Calendar days in Japan, both ends included.

    Attributes:
        first: the first day.
        last: the last day; None: until further notice.
    """

    first: date
    last: date | None = None

    def __contains__(self, day: date) -> bool:
        """Tell whether a day is one of these."""
        return self.first <= day and (self.last is None or day <= self.last)

    def meets(self, other: "Period") -> bool:
        """Tell whether the two have a day in common."""
        return (other.last is None or self.first <= other.last) and (
            self.last is None or other.first <= self.last
        )
