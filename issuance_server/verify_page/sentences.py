"""What people are told, in both languages of the page.

What the verifying itself says is English, since the command prints it; here stands the Japanese for
each of its sentences. A sentence that is not here is told in general words, never left out.
"""

from dataclasses import dataclass

from issuance_server.certificates.verify.verdict import NumberStatus


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence.

    Attributes:
        en: in English.
        ja: in Japanese.
    """

    en: str
    ja: str

    def told(self) -> dict[str, str]:
        """Return it as the page's script takes it."""
        return {"en": self.en, "ja": self.ja}


TOO_LARGE = Sentence(
    "The files are too large together: at most 48 MB. Scan in grey at 200 to 300 dpi.",
    "ファイルが大きすぎます（合計48MBまで）。グレー、200〜300dpiで読み取ってください。",
)
TOO_SLOW = Sentence(
    "The files did not arrive in time. Try again with a better connection or smaller files.",
    "時間内に届きませんでした。通信状態のよい所で、または小さいファイルで、もう一度お試しください。",
)
BAD_UPLOAD = Sentence(
    "Send between 1 and 16 files, none of them empty.",
    "1〜16個の、空でないファイルを選んでください。",
)
BUSY = Sentence(
    "Many people are checking certificates at the moment. Try again in some seconds.",
    "ただいま混み合っています。しばらくしてからもう一度お試しください。",
)
TOO_HARD = Sentence(
    "The files could not be read, or not within the time allowed. Send fewer or simpler ones.",
    "読み取れないか、決められた時間内に終わりませんでした。ファイルを減らしてお試しください。",
)
RECORDS_AWAY = Sentence(
    "The city's records cannot be reached now, so the number was not looked up. Try again later.",
    "市の記録にいま接続できないため、発行番号は照会していません。後でもう一度お試しください。",
)
NO_RECORDS = Sentence(
    "This page has no access to the city's records.",
    "このページは市の記録を照会できません。",
)
BAD_NUMBER = Sentence("This is no 発行番号.", "発行番号ではありません。")
NOT_OURS = Sentence(
    "Only this page itself may ask.", "このページからの照会だけを受け付けています。"
)

WHY_NOT_VALID = {
    NumberStatus.NEVER_RELEASED: Sentence(
        "The number was reserved, but never released for printing.",
        "この番号は確保されただけで、印刷は許可されていません。",
    ),
    NumberStatus.VOID: Sentence(
        "The number is void: the printing failed, or the certificate was withdrawn.",
        "この番号は無効です（印刷の失敗または取下げ）。",
    ),
    NumberStatus.UNKNOWN: Sentence(
        "The city has no such number on record.", "この番号は市の記録にありません。"
    ),
}

_NOT_A_CODE = "この市の証明書の2次元コードではありません。"
_DAMAGED_PICTURE = "PDFでもPNG・JPEG・TIFFの画像でもないか、壊れています。"
_LARGE_PICTURE = "画像が大きすぎます。200〜300dpiで読み取ってください。"
_JAPANESE = {
    "there is no code on it that can be read": "読み取れる2次元コードがありません。",
    "the signature in the code does not hold": "2次元コードの電子署名が正しくありません。",
    "the code holds no claim": _NOT_A_CODE,
    "the code is longer than any of ours": _NOT_A_CODE,
    "the code is not signed as ours are": _NOT_A_CODE,
    "the code is not signed with Ed25519": _NOT_A_CODE,
    "the code claims other things than ours do": _NOT_A_CODE,
    "a claim in the code is out of its range": _NOT_A_CODE,
    "the code is not CBOR": _NOT_A_CODE,
    "the code was issued at no time": _NOT_A_CODE,
    "the back was not scanned; the text was not compared": (
        "裏面がないため、本文は照合していません。"
    ),
    "this is a back; the face that belongs to it was not scanned": (
        "これは裏面です。対になるおもて面がありません。"
    ),
    "the secret of the backs is not at hand; the text was not compared": (
        "このページは裏面を読み解けないため、本文は照合していません。"
    ),
    "the secret of the backs is not at hand; the back was not compared": (
        "このページは裏面を読み解けないため、裏面は照合していません。"
    ),
    "the back is not that of this sheet, or its secret is no longer in use": (
        "この用紙の裏面ではないか、使われなくなった鍵で作られた裏面です。"
    ),
    "the picture does not show the whole face": "おもて面の全体が写っていません。",
    "the picture does not show the whole back, lying flat": (
        "裏面の全体が、平らに写っていません。"
    ),
    "the back is that of another sheet, or the picture is too poor": (
        "別の用紙の裏面か、画像が不鮮明です。"
    ),
    "the markers at the corners of the back are not to be seen": (
        "裏面の四隅の目印が写っていません。"
    ),
    "the file is larger than a certificate can be": "証明書としては大きすぎるファイルです。",
    "the file is larger than a scan can be": _LARGE_PICTURE,
    "the picture is larger than a scan can be": _LARGE_PICTURE,
    "the file has more pages than a certificate can have": "ページが多すぎます。",
    "the file has more pages than can be verified at once": "ページ数が多すぎます。",
    "the file has a page that is larger than a sheet can be": "ページが大きすぎます。",
    "the file is damaged, or no PDF": "PDFではないか、壊れています。",
    "the file is no PDF and no PNG, JPEG or TIFF picture, or it is damaged": _DAMAGED_PICTURE,
}
_FOREIGN_KEY = "none of the city's"
_FOREIGN_KEY_JA = "2次元コードの電子署名は、この市の鍵によるものではありません。"
_OTHER_JA = "読み取れませんでした。"


def in_both(text: str) -> Sentence:
    """Return a sentence of the verifying in both languages."""
    ja = _FOREIGN_KEY_JA if text.endswith(_FOREIGN_KEY) else _JAPANESE.get(text, _OTHER_JA)
    return Sentence(f"{text[:1].upper()}{text[1:]}.", ja)
