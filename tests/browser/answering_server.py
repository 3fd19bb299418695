"""A server of uvicorn in a thread of the test's own process."""

import socket
import threading
from contextlib import contextmanager

from patience import ENOUGH


@contextmanager
def answering(server):
    """Where a server answers."""
    with socket.create_server(("127.0.0.1", 0)) as bound:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{bound.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(ENOUGH)
