"""Address forms that no probe and no webhook may reach, each with its public source (reliability.md S4).

They have bypassed a filter somewhere, or are a range that leads inside. `FORMS` are the bare strings, `FORBIDDEN` the
same as parameters of a test.
"""

import pytest

_CORPUS = [
    ("127.0.0.1", "loopback"),  # RFC 1122 3.2.1.3
    ("127.255.255.254", "loopback, last of the net"),  # RFC 1122 3.2.1.3
    ("127.1", "inet_aton short form"),  # inet_aton(3)
    ("127.0.1", "inet_aton three parts"),  # inet_aton(3)
    ("2130706433", "decimal"),  # PayloadsAllTheThings, Server Side Request Forgery
    ("0x7f.1", "hexadecimal part"),  # inet_aton(3)
    ("0x7f000001", "hexadecimal whole"),  # PayloadsAllTheThings, Server Side Request Forgery
    ("0X7F.0.0.0x1", "hexadecimal upper case"),  # npm ip, CVE-2023-42282
    ("017700000001", "octal whole"),  # PayloadsAllTheThings, Server Side Request Forgery
    ("0177.0.0.1", "octal part"),  # Python ipaddress, CVE-2021-29921
    ("00000177.1", "octal with leading zeros"),  # Python ipaddress, CVE-2021-29921
    ("0", "zero alone"),  # inet_aton(3)
    ("0.0.0.0", "unspecified reaches this host"),  # noqa: S104  # 0.0.0.0-day, Oligo Security 2024
    ("0.1.2.3", "this network"),  # RFC 1122 3.2.1.3
    ("①②⑦.0.0.1", "circled digits"),  # RFC 3491 (nameprep): NFKC makes digits of them
    ("１２７.０.０.１", "full-width digits"),  # noqa: RUF001  # Orange Tsai, A New Era of SSRF, Black Hat 2017
    ("127。0。0。1", "ideographic full stop"),  # RFC 3490 3.1: U+3002 is a dot
    ("10.0.0.1", "private 10/8"),  # RFC 1918
    ("012.0.0.1", "octal private"),  # netmask, CVE-2021-28918
    ("172.16.0.1", "private 172.16/12"),  # RFC 1918
    ("172.31.255.255", "private 172.16/12, last"),  # RFC 1918
    ("192.168.0.1", "private 192.168/16"),  # RFC 1918
    ("3232235521", "decimal private"),  # PayloadsAllTheThings, Server Side Request Forgery
    ("100.64.0.1", "shared address space, is_private is False"),  # RFC 6598
    ("100.100.100.200", "Alibaba metadata"),  # Alibaba Cloud, instance metadata
    ("169.254.169.254", "metadata"),  # Uptime Kuma, GHSA-qjxc-h5jf-c7rj
    ("0xa9fea9fe", "metadata in hexadecimal"),  # PayloadsAllTheThings, Server Side Request Forgery
    ("2852039166", "metadata in decimal"),  # PayloadsAllTheThings, Server Side Request Forgery
    ("0251.0376.0251.0376", "metadata in octal"),  # PayloadsAllTheThings, Server Side Request Forgery
    ("169.254.170.2", "ECS task credentials"),  # AWS, ECS task IAM roles
    ("169.254.170.23", "EKS pod identity"),  # AWS, EKS Pod Identity
    ("192.0.0.192", "Oracle metadata, is_global"),  # Oracle Cloud, instance metadata, as PayloadsAllTheThings lists it
    ("168.63.129.16", "Azure WireServer, a public address"),  # Microsoft Learn, What is IP address 168.63.129.16?
    ("192.0.0.8", "IETF protocol assignments"),  # RFC 7600; IANA IPv4 special-purpose registry
    ("192.0.2.1", "documentation 1"),  # RFC 5737
    ("198.51.100.1", "documentation 2"),  # RFC 5737
    ("203.0.113.1", "documentation 3"),  # RFC 5737
    ("192.88.99.1", "6to4 relay anycast"),  # RFC 7526
    ("198.18.0.1", "benchmarking"),  # RFC 2544
    ("224.0.0.1", "multicast, is_global"),  # RFC 1112
    ("239.255.255.250", "SSDP multicast"),  # UPnP Device Architecture, SSDP
    ("240.0.0.1", "reserved class E"),  # RFC 1112 4
    ("255.255.255.255", "broadcast"),  # RFC 919
    ("::", "unspecified v6"),  # RFC 4291 2.5.2
    ("::1", "loopback v6"),  # RFC 4291 2.5.3
    ("0:0:0:0:0:0:0:1", "loopback v6 written out"),  # RFC 4291 2.2
    ("::ffff:127.0.0.1", "v4-mapped"),  # OneUptime, CVE-2026-80350
    ("::ffff:7f00:1", "v4-mapped in hexadecimal"),  # RFC 4291 2.5.5.2
    ("::ffff:169.254.169.254", "v4-mapped metadata"),  # RFC 4291 2.5.5.2
    ("::127.0.0.1", "v4-compatible"),  # RFC 4291 2.5.5.1
    ("::8.8.8.8", "v4-compatible of a public address leads nowhere public"),  # RFC 4291 2.5.5.1
    ("64:ff9b::7f00:1", "NAT64 of loopback"),  # RFC 6052
    ("64:ff9b::a9fe:a9fe", "NAT64 of metadata"),  # RFC 6052
    ("64:ff9b:1::a9fe:a9fe", "local NAT64"),  # RFC 8215
    ("2002:7f00:1::", "6to4 of loopback"),  # RFC 3056
    ("2002:a9fe:a9fe::1", "6to4 of metadata"),  # RFC 3056
    ("2001:0:4136:e378:8000:63bf:80ff:fffe", "Teredo of loopback"),  # RFC 4380
    ("fc00::1", "unique local"),  # RFC 4193
    ("fd00:ec2::254", "AWS metadata v6"),  # AWS, instance metadata service over IPv6
    ("fd20:ce::254", "Google metadata v6"),  # Google Cloud, metadata server over IPv6
    ("fe80::1", "link-local"),  # RFC 4291 2.5.6
    ("fe80::1%lo", "link-local with a zone"),  # RFC 4007 11
    ("fe80::a9fe:a9fe", "OpenStack metadata v6"),  # OpenStack Nova, metadata over IPv6
    ("fec0::1", "site-local, is_global"),  # RFC 3879
    ("5f00::1", "SRv6 SIDs, is_global"),  # RFC 9602
    ("ff02::1", "multicast v6, is_global"),  # RFC 4291 2.7
    ("2001:db8::1", "documentation v6"),  # RFC 3849
    ("3fff::1", "documentation v6"),  # RFC 9637
    ("2001:20::1", "ORCHIDv2"),  # RFC 7343
    ("100::1", "discard only"),  # RFC 6666
    ("4000::1", "v6 that IANA has not given out"),  # IANA IPv6 address space registry
]
FORMS = [form for form, _ in _CORPUS]
FORBIDDEN = [pytest.param(form, id=what) for form, what in _CORPUS]


def in_url(form: str) -> str:
    """As a URL names it."""
    return f"[{form}]" if ":" in form else form
