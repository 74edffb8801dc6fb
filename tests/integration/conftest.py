"""Fixtures of the integration tests. They drive the built program ($NOTSO_BIN) over real sockets and pipes."""
import pytest

from model_hub import Hub
from notso_process import BINARY, Server, clean_environment, model_path
from terminal import Chat


@pytest.fixture(scope="session")
def model():
    """Path of the real default model."""
    return model_path()


@pytest.fixture
def start_server(tmp_path):
    """Starts servers: start_server("--backend", "stub", env={…}) → Server. All are stopped at the end."""
    servers = []

    def start(*arguments, data_dir=None, env=None):
        server = Server(data_dir or tmp_path / f"data{len(servers)}", arguments, env)
        servers.append(server)
        return server

    yield start
    for server in servers:
        if server.process.poll() is None:
            server.process.kill()
            server.process.wait()


@pytest.fixture
def stub_server(start_server):
    """A server with the scripted backend, ready."""
    return start_server("--backend", "stub").wait_ready()


@pytest.fixture(scope="session")
def real_server(tmp_path_factory, model):
    """One server with the real model, shared by the tests of a file; ready."""
    server = Server(tmp_path_factory.mktemp("real") / "data", ("-m", str(model)))
    yield server.wait_ready()
    if server.process.poll() is None:
        server.process.kill()
        server.process.wait()


@pytest.fixture
def hub():
    """Starts hubs: hub(cuts=[…]) → Hub. All are closed at the end."""
    hubs = []

    def make(**options):
        hubs.append(Hub(**options))
        return hubs[-1]

    yield make
    for each in hubs:
        each.close()


@pytest.fixture
def terminal(tmp_path):
    """Starts the program in terminals, with a data folder for this test alone: terminal("chat", NO_COLOR="1") → Chat."""
    opened = []

    def start(*arguments, **env):
        env = {"TERM": "xterm", "XDG_DATA_HOME": str(tmp_path / "data"), **env}
        opened.append(Chat([str(BINARY), *map(str, arguments)], clean_environment(**env)))
        return opened[-1]

    yield start
    for each in opened:
        each.close()
