"""On the path of every process that a test starts: the wire spy goes along where a driver is imported."""

import sys


class Waiting:
    """Finds no module; installs the spy when it is asked for the first of the drivers."""

    def find_spec(self, name, _path=None, _target=None):
        if name == "drivers.contract":
            sys.meta_path.remove(self)
            __import__("wire_spy").SPY.install()


sys.meta_path.insert(0, Waiting())
