"""The command line: stdout carries data, stderr everything else."""
