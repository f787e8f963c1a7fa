"""Every act that operators can do on this server, by name."""

from collections.abc import Mapping

from issuance_server.control.act_check import ActKind
from issuance_server.control.card_acts import CARD_ACTS
from issuance_server.control.day_acts import DAY_ACTS
from issuance_server.control.domicile_acts import DOMICILE_ACTS
from issuance_server.control.issuing_acts import ISSUING_ACTS
from issuance_server.control.notice_acts import NOTICE_ACTS
from issuance_server.control.push_acts import PUSH_ACTS
from issuance_server.control.register_acts import REGISTER_ACTS
from issuance_server.control.suppression_acts import SUPPRESSION_ACTS
from issuance_server.control.tables_acts import TABLES_ACTS
from issuance_server.control.terminal_acts import TERMINAL_ACTS

ACTS: Mapping[str, ActKind] = {
    **TERMINAL_ACTS,
    **CARD_ACTS,
    **DAY_ACTS,
    **SUPPRESSION_ACTS,
    **TABLES_ACTS,
    **REGISTER_ACTS,
    **NOTICE_ACTS,
    **PUSH_ACTS,
    **DOMICILE_ACTS,
    **ISSUING_ACTS,
}
