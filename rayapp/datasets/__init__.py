"""Datasets: what can be loaded, each declared in one TOML file."""

from rayapp.datasets.declaration import Column, ColumnType, Dataset
from rayapp.datasets.registry import dataset, datasets

__all__ = ["Column", "ColumnType", "Dataset", "dataset", "datasets"]
