"""The version of the contract that this package states, and the rule by which a plugin's version fits it."""

import re

CONTRACT_VERSION = "1.0"

_PATTERN = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)")


def parse_contract_version(text: str) -> tuple[int, int]:
    """Return (major, minor) of a contract version such as `"1.0"`; raise ValueError for any other form."""
    match = _PATTERN.fullmatch(text)
    if match is None:
        raise ValueError(f"a contract version is MAJOR.MINOR, for example {CONTRACT_VERSION!r}, got {text!r}")
    return int(match[1]), int(match[2])


def is_compatible(plugin: str, host: str = CONTRACT_VERSION) -> bool:
    """Tell whether a plugin written for contract `plugin` loads in a host of contract `host`.

    The major versions must be equal and the plugin's minor must not be newer: a minor only adds optional fields.
    """
    plugin_major, plugin_minor = parse_contract_version(plugin)
    host_major, host_minor = parse_contract_version(host)
    return plugin_major == host_major and plugin_minor <= host_minor
