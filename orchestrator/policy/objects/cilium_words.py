"""The words of Cilium's policies: their kinds, names of entities and of messages, ports as its engine reads them.

Sources: Cilium 1.20, pkg/policy/api/entity.go, icmp.go and l4.go, pkg/iana.
"""

import re

NAMESPACED, CLUSTERWIDE, CIDR_GROUP = (
    "CiliumNetworkPolicy",
    "CiliumClusterwideNetworkPolicy",
    "CiliumCIDRGroup",
)
POLICIES = (NAMESPACED, CLUSTERWIDE)
ENTITIES = (
    "all", "world", "cluster", "host", "init", "ingress", "unmanaged", "remote-node", "health", "none", "kube-apiserver",
)  # fmt: skip
SERVICE_NAME = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9](-?[A-Za-z0-9])*")
ICMP_TYPES = {
    "IPv4": {
        "EchoReply": 0, "DestinationUnreachable": 3, "Redirect": 5, "Echo": 8, "EchoRequest": 8,
        "RouterAdvertisement": 9, "RouterSelection": 10, "TimeExceeded": 11, "ParameterProblem": 12,
        "Timestamp": 13, "TimestampReply": 14, "Photuris": 40, "ExtendedEcho Request": 42,
        "ExtendedEchoRequest": 42, "ExtendedEcho Reply": 43, "ExtendedEchoReply": 43,
    },
    "IPv6": {
        "DestinationUnreachable": 1, "PacketTooBig": 2, "TimeExceeded": 3, "ParameterProblem": 4,
        "EchoRequest": 128, "EchoReply": 129, "MulticastListenerQuery": 130, "MulticastListenerReport": 131,
        "MulticastListenerDone": 132, "RouterSolicitation": 133, "RouterAdvertisement": 134,
        "NeighborSolicitation": 135, "NeighborAdvertisement": 136, "RedirectMessage": 137,
        "RouterRenumbering": 138, "ICMPNodeInformationQuery": 139, "ICMPNodeInformationResponse": 140,
        "InverseNeighborDiscoverySolicitation": 141, "InverseNeighborDiscoveryAdvertisement": 142,
        "HomeAgentAddressDiscoveryRequest": 144, "HomeAgentAddressDiscoveryReply": 145,
        "MobilePrefixSolicitation": 146, "MobilePrefixAdvertisement": 147,
        "DuplicateAddressRequestCodeSuffix": 157, "DuplicateAddressConfirmationCodeSuffix": 158,
        "ExtendedEchoRequest": 160, "ExtendedEchoReply": 161,
    },
}  # fmt: skip


def number_of(text: str) -> int | None:
    """A port as Go reads it, with its prefixes for other bases; None for a name, and for what is neither."""
    if SERVICE_NAME.fullmatch(text):
        return None
    try:
        return int(text, 8) if re.fullmatch("0[0-7]+", text) else int(text, 0)
    except ValueError:
        return None


def icmp_type(value: object, family: str) -> int | None:
    """A type by its number or its name; None for one that is not known."""
    text = str(value)
    found = int(text) if text.isdecimal() else ICMP_TYPES[family].get(text)
    return found if found is not None and found < 256 else None
