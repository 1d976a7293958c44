"""The HTTP service: routes that know nothing of Ray, and one deployment that puts them on Ray Serve."""
