"""Currencies: the codes of ISO 4217, including recently withdrawn ones that shops still send."""

from __future__ import annotations

import re
from typing import Any

_CODES = """
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF
    CHE CHF CHW CLF CLP CNY COP COU CRC CUC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD
    GNF GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP
    LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN
    PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STN SVC SYP SZL THB TJS
    TMT TND TOP TRY TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAF XAG XAU XCD XCG XDR XOF XPD
    XPF XPT XSU XUA YER ZAR ZMW ZWG ZWL
"""
CURRENCIES = frozenset(_CODES.split())
MAX_AMOUNT = 2.0**63
_AMOUNT = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,18})?")


def money(amount: Any, currency: Any) -> tuple[float | None, str | None]:
    """The checked amount (a number or a decimal text) and currency code; (None, None) if either is invalid."""
    if isinstance(amount, str) and _AMOUNT.fullmatch(amount.strip()):
        amount = float(amount)
    if type(amount) not in (int, float) or not abs(amount) < MAX_AMOUNT:
        return None, None
    code = currency.strip().upper() if isinstance(currency, str) else ""
    return (float(amount), code) if code in CURRENCIES else (None, None)
