"""Who certifies in the sample city. The mayor is fictitious, and every sheet is marked 見本."""

from datetime import date

import msgspec

from issuance_server.certificates.order import Issuer

PREFECTURE = "大阪府"
CITY = "豊中市"
SAMPLE_DAY = date(2026, 11, 30)
"""A Monday, on which the sample's business clock starts; records are as of then."""
ISSUER = Issuer(
    prefecture=PREFECTURE,
    city=CITY,
    title="豊中市長",
    name="見本　太郎",
    seal_text="豊中市長之印",
    specimen=True,
    verify_page="https://verify.toyonaka.example/",
)
ISSUER_WITH_BACKS = msgspec.structs.replace(ISSUER, backs=True)
"""As the sample city is set up: each sheet has a back, for which the renderer needs a secret."""
