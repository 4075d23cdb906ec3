"""Which version this is."""


def installed_version() -> str:
    """The version that is installed."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("footnoted")
    except PackageNotFoundError:
        return "unknown"
