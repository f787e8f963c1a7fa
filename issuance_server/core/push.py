"""プッシュ型お知らせ: the states by which card holders are notified of the service."""

from enum import Enum


class PushState(Enum):
    """What a card holder has of the service."""

    USES = "uses-service"  # was issued a certificate with a card
    CERTIFICATE = "holds-certificate"  # 利用者証明用電子証明書 on the card, never used here
    CARD = "holds-card"  # a card without it, never used here
