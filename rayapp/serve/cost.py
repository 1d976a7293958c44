"""What a batch costs: seconds = a + b times rows, learnt from the batches that ran, the newer ones counting more."""

DECAY = 0.98
"""Share of its former weight that a measurement keeps with each newer one: the last hundred or so count."""

FIRST_A_S = 500e-6
FIRST_B_S = 40e-6
"""What is believed before anything was measured: the default pack on one core of an AMD EPYC, JSON included."""

LEAST_S = 1e-7


class CostModel:
    """A line through the measured times, by least squares with weights that fade."""

    def __init__(self, fixed_s: float = FIRST_A_S, row_s: float = FIRST_B_S) -> None:
        """Begin with a belief that the first measurements outweigh."""
        self._n = self._x = self._xx = self._y = self._xy = 0.0
        for rows in (1, 1_000):
            self.learn(rows, fixed_s + row_s * rows)

    def learn(self, rows: int, seconds: float) -> None:
        """Take in that a batch of so many rows took so long."""
        keep = DECAY
        self._n = keep * self._n + 1.0
        self._x = keep * self._x + rows
        self._xx = keep * self._xx + rows * rows
        self._y = keep * self._y + seconds
        self._xy = keep * self._xy + rows * seconds

    @property
    def row_s(self) -> float:
        """Seconds that one more row costs. Where all batches had one size, all their time is put down to the rows."""
        spread = self._n * self._xx - self._x * self._x
        if spread <= 1e-9 * self._n * self._xx:
            return max(LEAST_S, self._y / max(self._x, 1.0))
        slope = (self._n * self._xy - self._x * self._y) / spread
        return min(max(LEAST_S, slope), max(LEAST_S, self._y / max(self._x, 1.0)))

    @property
    def fixed_s(self) -> float:
        """Seconds that a batch costs whatever its size."""
        return max(0.0, (self._y - self.row_s * self._x) / self._n)

    def seconds(self, rows: int) -> float:
        """Foretell the time of a batch."""
        return self.fixed_s + self.row_s * rows

    def rows_within(self, seconds: float) -> int:
        """Give the most rows that a batch of so many seconds can have, at least one."""
        return max(1, int((seconds - self.fixed_s) / self.row_s))
