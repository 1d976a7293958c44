"""Starting and stopping everything on one machine: Ray, the service on it, HAProxy before it, and PostgreSQL."""
