"""Reply codes: what a peer is told, in bands of meaning, and the sentence for the resident.

Two digits of band, two of detail. A refusal to a resident is one of these values, never an
exception. Sentences name no person and no reason that would betray one.
"""

from enum import IntEnum


class ReplyCode(IntEnum):
    """What became of a request."""

    DONE = 0
    # 10 line and telegram
    MALFORMED = 1001
    OUT_OF_ORDER = 1002
    KEY_REUSED = 1003
    UNKNOWN = 1004
    ENDED = 1005
    LIMIT_REACHED = 1006
    BUSY = 1007
    DRAINING = 1008
    VERSION_UNKNOWN = 1009
    # 20 card and PIN
    CARD_NOT_ACCEPTED = 2001
    PIN_WRONG = 2002
    CARD_LOCKED = 2003
    CARD_BUSY = 2004
    TERMINAL_FROZEN = 2005
    CHALLENGE_EXPIRED = 2006
    PIN_BLOCK_INVALID = 2007
    TRY_BURNED = 2008
    JUDGE_UNAVAILABLE = 2009
    CERTIFICATE_EXPIRED = 2010
    CERTIFICATE_REVOKED = 2011
    CERTIFICATE_NOT_CHECKABLE = 2012
    CARD_NOT_REGISTERED_HERE = 2013
    # 30 hours and eligibility
    OUT_OF_HOURS = 3001
    KIND_NOT_OFFERED = 3002
    NOT_ISSUED_HERE = 3003
    REGISTER_STALE = 3004
    UNDER_AGE = 3005
    OPTIONS_INVALID = 3006
    RECORD_UNDER_EDIT = 3007
    # 302x the holder, 303x the seal, 304x the tax, 305x the family register, 306x options
    MOVE_OUT_FILED = 3021
    ENTRY_PENDING = 3022
    NO_LONGER_RESIDENT = 3023
    CARD_NOT_YET_USABLE = 3024
    SEAL_NOT_REGISTERED = 3031
    SEAL_ABOLISHED = 3032
    TAX_NOT_FILED = 3041
    TAX_RECORD_MISSING = 3042
    NOT_RESIDENT_ON_1_JANUARY = 3043
    NO_FAMILY_REGISTER = 3051
    FAMILY_REGISTER_HELD = 3052
    REGISTER_CLOSED = 3053
    MY_NUMBER_NOT_OFFERED = 3061
    # 40 certificate
    CANNOT_BE_PRINTED = 4001
    DATA_CHANGED = 4002
    QUOTATION_EXPIRED = 4003
    AMOUNT_WRONG = 4004
    RENDERING_FAILED = 4005
    # 50 integrity
    LINE_STOPPED = 5001
    ISSUING_STOPPED = 5002
    # 90 server
    SERVER_FAULT = 9001

    @property
    def band(self) -> int:
        """The first two digits, which name the band of meaning."""
        return self.value // 100

    def sentence(self, language: str = "ja") -> str:
        """Return the plain sentence for the screen.

        Args:
            language: ``ja`` or ``en``; another falls back to ``en``.
        """
        japanese, english = _SENTENCES[self]
        return japanese if language == "ja" else english


_AGAIN = ("もう一度最初から操作してください。", "Please start again from the beginning.")
_COUNTER = (
    "市役所の窓口でお手続きください。",
    "Please visit the counter of the city hall.",
)

_SENTENCES: dict[ReplyCode, tuple[str, str]] = {
    ReplyCode.DONE: ("完了しました。", "Done."),
    ReplyCode.MALFORMED: _AGAIN,
    ReplyCode.OUT_OF_ORDER: _AGAIN,
    ReplyCode.KEY_REUSED: _AGAIN,
    ReplyCode.UNKNOWN: _AGAIN,
    ReplyCode.ENDED: ("このお手続きは終了しています。", "This procedure has ended."),
    ReplyCode.LIMIT_REACHED: (
        "一度に利用できる回数を超えました。もう一度最初から操作してください。",
        "The limit for one visit is reached. Please start again.",
    ),
    ReplyCode.BUSY: (
        "ただいま混み合っています。しばらくしてからお試しください。",
        "We are busy. Please try again in a moment.",
    ),
    ReplyCode.DRAINING: (
        "まもなくサービスを停止するため、新しい申請を受け付けていません。",
        "The service is about to stop and takes no new applications.",
    ),
    ReplyCode.VERSION_UNKNOWN: (
        "この端末は現在利用できません。",
        "This terminal cannot be used at present.",
    ),
    ReplyCode.CARD_NOT_ACCEPTED: (
        "このカードは利用できません。" + _COUNTER[0],
        "This card cannot be used here. " + _COUNTER[1],
    ),
    ReplyCode.PIN_WRONG: ("暗証番号が違います。", "The PIN is wrong."),
    ReplyCode.CARD_LOCKED: (
        "暗証番号を3回続けて間違えたため、このカードは利用を停止しています。" + _COUNTER[0],
        "The card is locked after three wrong PINs in a row. " + _COUNTER[1],
    ),
    ReplyCode.CARD_BUSY: (
        "このカードは別の端末で照合中です。",
        "This card is being checked at another terminal.",
    ),
    ReplyCode.TERMINAL_FROZEN: (
        "この端末は一時的に利用を停止しています。",
        "This terminal is stopped for the time being.",
    ),
    ReplyCode.CHALLENGE_EXPIRED: (
        "時間が過ぎました。もう一度暗証番号を入力してください。",
        "Time ran out. Please enter the PIN again.",
    ),
    ReplyCode.PIN_BLOCK_INVALID: _AGAIN,
    ReplyCode.TRY_BURNED: (
        "照合が途中で中断しました。この1回は間違いとして数えられています。",
        "The check was interrupted. This try has been counted as a wrong one.",
    ),
    ReplyCode.JUDGE_UNAVAILABLE: (
        "ただいま暗証番号を照合できません。しばらくしてからお試しください。",
        "The PIN cannot be checked at present. Please try again later.",
    ),
    ReplyCode.CERTIFICATE_EXPIRED: (
        "カードの電子証明書の有効期間が過ぎています。" + _COUNTER[0],
        "The certificate in the card has expired. " + _COUNTER[1],
    ),
    ReplyCode.CERTIFICATE_REVOKED: (
        "カードの電子証明書は失効しています。" + _COUNTER[0],
        "The certificate in the card has been revoked. " + _COUNTER[1],
    ),
    ReplyCode.CERTIFICATE_NOT_CHECKABLE: (
        "ただいまカードの電子証明書を確認できません。しばらくしてからお試しください。",
        "The certificate in the card cannot be checked at present. Please try again later.",
    ),
    ReplyCode.CARD_NOT_REGISTERED_HERE: (
        "このカードは、この市では登録されていません。本籍がこの市にある方は、利用登録を申請できます。",
        "This card is not registered here. Apply, if your family register is in this city.",
    ),
    ReplyCode.OUT_OF_HOURS: (
        "ただいまはサービス時間外です。",
        "The service is closed at this hour.",
    ),
    ReplyCode.KIND_NOT_OFFERED: (
        "この証明書はここでは交付できません。",
        "This certificate is not issued here.",
    ),
    ReplyCode.NOT_ISSUED_HERE: (
        "端末では交付できません。" + _COUNTER[0],
        "This cannot be issued by a terminal. " + _COUNTER[1],
    ),
    ReplyCode.REGISTER_STALE: (
        "ただいま証明書を交付できません。しばらくしてからお試しください。",
        "Certificates cannot be issued at present. Please try again later.",
    ),
    ReplyCode.UNDER_AGE: (
        "15歳未満の方は利用できません。" + _COUNTER[0],
        "This service is for persons of 15 or older. " + _COUNTER[1],
    ),
    ReplyCode.OPTIONS_INVALID: (
        "選択された内容では交付できません。選び直してください。",
        "This choice cannot be issued. Please choose again.",
    ),
    ReplyCode.RECORD_UNDER_EDIT: (
        "ただいま登録内容を更新しています。しばらくしてからお試しください。",
        "The record is being updated. Please try again later.",
    ),
    ReplyCode.MOVE_OUT_FILED: (
        "お届けの内容により、端末では交付できません。" + _COUNTER[0],
        "Terminals issue nothing after the notification that you filed. " + _COUNTER[1],
    ),
    ReplyCode.ENTRY_PENDING: (
        "住所の登録を処理しています。登録が終わってからご利用ください。",
        "Your registration is not complete yet. Please try again afterwards.",
    ),
    ReplyCode.NO_LONGER_RESIDENT: (
        "この市では交付できません。お住まいの市区町村でお手続きください。",
        "This city cannot issue it. Please ask the municipality where you live.",
    ),
    ReplyCode.CARD_NOT_YET_USABLE: (
        "このカードは、手続きの翌日からご利用いただけます。",
        "This card can be used from the day after it was issued or changed.",
    ),
    ReplyCode.SEAL_NOT_REGISTERED: (
        "印鑑が登録されていません。" + _COUNTER[0],
        "No seal is registered. " + _COUNTER[1],
    ),
    ReplyCode.SEAL_ABOLISHED: (
        "印鑑登録は廃止されています。" + _COUNTER[0],
        "The registration of the seal has ended. " + _COUNTER[1],
    ),
    ReplyCode.TAX_NOT_FILED: (
        "所得の申告がないため、課税証明書を交付できません。" + _COUNTER[0],
        "No income has been filed for this year. " + _COUNTER[1],
    ),
    ReplyCode.TAX_RECORD_MISSING: (
        "最新年度の課税の記録がありません。" + _COUNTER[0],
        "There is no tax record of the latest year. " + _COUNTER[1],
    ),
    ReplyCode.NOT_RESIDENT_ON_1_JANUARY: (
        "今年度の課税証明書は、1月1日にお住まいの市区町村でお手続きください。",
        "Please ask for it where you lived on 1 January of the year.",
    ),
    ReplyCode.NO_FAMILY_REGISTER: (
        # Many have their register elsewhere, and who is no Japanese national has none at all.
        "この市に戸籍がありません。戸籍がある方は、本籍地の市区町村でお手続きください。",
        "You have no family register in this city. If you have one, please ask where it is kept.",
    ),
    ReplyCode.FAMILY_REGISTER_HELD: (
        "戸籍に関する証明書は、ただいま端末では交付できません。" + _COUNTER[0],
        "At present no terminal issues certificates of the family register. " + _COUNTER[1],
    ),
    ReplyCode.REGISTER_CLOSED: (
        "除かれた戸籍の証明書は端末では交付できません。" + _COUNTER[0],
        "The family register is closed. " + _COUNTER[1],
    ),
    ReplyCode.MY_NUMBER_NOT_OFFERED: (
        "個人番号を記載した証明書は端末では交付できません。" + _COUNTER[0],
        "Certificates with the Individual Number are not issued by terminals. " + _COUNTER[1],
    ),
    ReplyCode.CANNOT_BE_PRINTED: (
        "記載内容の都合により端末では交付できません。" + _COUNTER[0],
        "The record cannot be printed by a terminal. " + _COUNTER[1],
    ),
    ReplyCode.DATA_CHANGED: (
        "登録内容が変わりました。もう一度申請してください。",
        "The record has changed. Please apply again.",
    ),
    ReplyCode.QUOTATION_EXPIRED: (
        "申請の有効時間が過ぎました。もう一度申請してください。",
        "The application has expired. Please apply again.",
    ),
    ReplyCode.AMOUNT_WRONG: ("手数料の金額が違います。", "The amount is not the fee."),
    ReplyCode.RENDERING_FAILED: (
        "証明書を作成できませんでした。手数料はかかりません。",
        "The certificate could not be made. No fee is taken.",
    ),
    ReplyCode.LINE_STOPPED: (
        "この端末は点検のため停止しています。",
        "This terminal is stopped for inspection.",
    ),
    ReplyCode.ISSUING_STOPPED: (
        "点検のため交付を停止しています。",
        "Issuing is stopped for inspection.",
    ),
    ReplyCode.SERVER_FAULT: (
        "処理できませんでした。しばらくしてからお試しください。",
        "The request could not be handled. Please try again later.",
    ),
}
