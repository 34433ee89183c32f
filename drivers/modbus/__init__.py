"""Modbus TCP client: blocks of registers, every reply checked."""
