"""PostgreSQL: the only part of rayapp that speaks SQL."""
