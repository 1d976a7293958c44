"""Puts a FastAPI route that does nothing on the cluster of the environment, beside the service: ``python -m benchmarks._empty_route``."""

from typing import Any

from rayapp.launch.driver import connected, prepare_environment
from rayapp.settings import read_settings

NAME = "benchmark_nothing"
REPLICA = f"ray::ServeReplica:{NAME}"


def main() -> None:
    """Serve a route that reads no body and gives an empty object, with the settings of our own deployment."""
    settings = read_settings()
    prepare_environment(settings)
    from fastapi import FastAPI
    from ray import serve

    app = FastAPI()

    @serve.deployment(name=NAME, max_ongoing_requests=1_000, ray_actor_options={"num_cpus": 0}, logging_config={"enable_access_log": False})
    @serve.ingress(app)
    class Nothing:
        """The deployment."""

        @app.post("/")
        async def nothing(self) -> dict[str, Any]:
            """Do nothing."""
            return {}

    with connected(settings, print):
        serve.run(Nothing.bind(), name=NAME, route_prefix=f"/{NAME}")


if __name__ == "__main__":
    main()
