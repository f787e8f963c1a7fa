"""What makes a file PDF/A-2u (ISO 19005-2): metadata, and the colour space of what it shows.

Everything else that the standard asks for is kept by what writes it: fonts are embedded with their
way back to characters, colours are plain, nothing is transparent, encrypted or a script.
"""

import pydyf

from issuance_server.certificates.pdf_fonts import STATIC_COMPRESSION, stream
from issuance_server.certificates.srgb_profile import srgb_profile

METADATA = """\
<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/">
<pdfaid:part>2</pdfaid:part>
<pdfaid:conformance>U</pdfaid:conformance>
<dc:format>application/pdf</dc:format>
</rdf:Description>
</rdf:RDF>
</x:xmpmeta>
<?xpacket end="r"?>""".encode()
"""It names no person and no day, so that it is the same in every file."""


def archive_entries(document: pydyf.PDF) -> dict[str, bytes]:
    """Add metadata and output intent to a document and return their entries of its catalog."""
    # Not compressed, so that a program that knows no PDF finds them.
    metadata = pydyf.Stream([METADATA], {"Type": "/Metadata", "Subtype": "/XML"})
    document.add_object(metadata)
    profile = stream(srgb_profile(), STATIC_COMPRESSION, N=3)
    document.add_object(profile)
    intent = pydyf.Dictionary(
        {
            "Type": "/OutputIntent",
            "S": "/GTS_PDFA1",
            "OutputConditionIdentifier": pydyf.String("sRGB"),
            "Info": pydyf.String("sRGB IEC61966-2.1"),
            "DestOutputProfile": profile.reference,
        }
    )
    document.add_object(intent)
    return {"Metadata": metadata.reference, "OutputIntents": b"[%b]" % intent.reference}
