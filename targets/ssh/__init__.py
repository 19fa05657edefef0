"""Builds and runs bundles on another computer, which the user's own OpenSSH reaches."""

from tinyflow.targets.ssh.address import Address, parse_address
from tinyflow.targets.ssh.connection import Connection
from tinyflow.targets.ssh.device import Device, read_device
from tinyflow.targets.ssh.latency import Latency, measure_latency
from tinyflow.targets.ssh.workshop import Workshop

__all__ = [
    "Address",
    "Connection",
    "Device",
    "Latency",
    "Workshop",
    "measure_latency",
    "parse_address",
    "read_device",
]
