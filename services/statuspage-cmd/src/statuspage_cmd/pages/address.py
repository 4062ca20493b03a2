"""Where the public sees a status page."""

from urllib.parse import urlsplit

from pinghome_common.settings import Settings


def address(settings: Settings, subdomain: str) -> str:
    """The page's own address, without a slash at its end; what requests call the platform is not to be believed."""
    platform = settings.public_url or f"http://localhost:{settings.port}"
    if settings.status_domain:
        public = urlsplit(settings.public_url)
        port = f":{public.port}" if public.port else ""
        return f"{public.scheme or 'https'}://{subdomain}.{settings.status_domain}{port}"
    return f"{platform}/status/{subdomain}"
