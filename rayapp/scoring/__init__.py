"""The scoring core: descriptors in, verdicts out; it knows no Ray, HTTP, SQL, files, clock or log."""
