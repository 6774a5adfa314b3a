"""Where this sandbox listens: the base of every address that it hands out."""

_base_url = ["http://127.0.0.1:12111"]


def set_base_url(url: str) -> None:
    _base_url[0] = url


def base_url() -> str:
    return _base_url[0]
