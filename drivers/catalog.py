"""Which drivers there are. Imports only what a line file names, and no protocol library before create()."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, cast

from drivers.contract import Device, Driver
from drivers.frames import Describe

DRIVERS: Mapping[str, tuple[str, str]] = {
    "modbus": ("ModbusDevice", "ModbusDriver"),
    "opcua": ("OpcuaDevice", "OpcuaDriver"),
}
"""A line file's word for a driver -> the class of its device table and of the driver itself."""


def device_type(driver: str) -> type[Device]:
    """The device table of a driver, importable without its protocol library; KeyError where there is none."""
    name, _ = DRIVERS[driver]
    return cast("type[Device]", getattr(import_module(f"drivers.{driver}.device"), name))


def create(device: Device) -> Driver[Any]:
    """An unconnected driver for a device table; only now its protocol library is imported."""
    _, name = DRIVERS[device.driver]
    return cast("Driver[Any]", getattr(import_module(f"drivers.{device.driver}.driver"), name)(device))


def describer(device: Device) -> Describe:
    """Says what a device's frames are."""
    return cast("Describe", import_module(f"drivers.{device.driver}.describe").describer(device))
