"""The lessons of docs/lessons: their code, their figures, and the answer that a run gives."""
