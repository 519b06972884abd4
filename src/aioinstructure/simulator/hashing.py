"""Hashing of integers, for reproducible pseudo-random choices."""

from __future__ import annotations

from random import Random

__all__ = ["hash_mix", "random_text"]

_MASK64 = 0xFFFFFFFFFFFFFFFF


def hash_mix(value: int) -> int:
    """Return the Splitmix64 hash of an integer."""
    value = (value + 0x9E3779B97F4A7C15) & _MASK64
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK64
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK64
    return value ^ (value >> 31)


_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789"


def random_text(random: Random, length: int) -> str:
    """Letters and digits without those that look alike, for generated credentials."""
    return "".join(random.choices(_ALPHABET, k=length))
