"""Certificate numbers (発行番号)."""

from issuance_server.core.rules import certificate_number


def test_number_names_day_city_terminal_printer_and_serial() -> None:
    """住民記録システム標準仕様書 §5.5; a serial beyond six digits only makes it longer."""
    number = certificate_number(day="2026-11-30", city_name="豊中市", terminal="7E-0001", serial=12)
    long = certificate_number(
        day="2026-11-30", city_name="豊中市", terminal="7E-0001", serial=1_000_000
    )

    assert "20261130 豊中市 7E-0001 001 000012" == number
    assert "20261130 豊中市 7E-0001 001 1000000" == long
