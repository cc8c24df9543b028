"""Names that other programs give our columns: proposed where ours are missing, never taken by themselves."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Sequence

USUAL = {
    "customer_id": (
        "customer client user buyer member shopper account contact household cardholder loyaltycard card guest patient "
        "kunde kundennummer cliente klant kund email customeremail 客户 会员 用户 顾客 顧客"
    ),
    "ordered_at": (
        "orderdate date invoicedate purchasedate transactiondate createdat created datetime timestamp time saledate "
        "paidat processedat placedat day orderedon orderpurchasetimestamp datum bestelldatum fecha data "
        "日期 时间 下单时间 注文日"
    ),
    "amount": (
        "total price value revenue sales salesvalue totalprice grandtotal ordertotal linetotal spend spent paid "
        "payment net gross paymentvalue netamount sum turnover betrag umsatz preis importe montant prix valor bedrag "
        "金额 总额 金額"
    ),
    "occurred_at": "date createdat created datetime timestamp time contactdate eventdate 日期 时间",
    "kind": "type event eventtype category channel activity",
    "tier": "grade segment level class",
    "until": "enddate validuntil expires expirydate to",
    "by": "author user editor createdby who",
    "reason": "comment note why remark",
}
SUFFIXES = ("id", "no", "nr", "number", "code", "key", "num", "编号", "号", "amount", "value", "gbp", "usd", "eur")
MOST = 3


def nearest(ours: str, given: str, names: Sequence[str]) -> list[str]:
    """The likely names for `given`, the likeliest first: usual names of the column `ours`, then similar ones.

    >>> nearest("customer_id", "customer_id", ["Price", "Client No", "InvoiceDate"])
    ['Client No']
    """
    plain = {_plain(name): name for name in reversed(names)}
    similar = difflib.get_close_matches(_plain(given), list(plain), n=MOST, cutoff=0.5)
    usual = _usual(ours, plain) if given == ours else []
    exact = [name for name in similar if name == _plain(given)]
    return [plain[name] for name in dict.fromkeys([*exact, *usual, *similar])][:MOST]


def _usual(ours: str, names: Collection[str]) -> list[str]:
    """The names that are usual for a column, in the order of `USUAL`: whole, then without a suffix."""
    order = {name: place for place, name in enumerate(USUAL.get(ours, "").split())}
    found = [(order[stem], name != stem, name) for name in names for stem in _stems(name) if stem in order]
    return [name for *_, name in sorted(found)]


def _stems(name: str) -> list[str]:
    return [name, *(name.removesuffix(suffix) for suffix in SUFFIXES if name.endswith(suffix) and name != suffix)]


def _plain(name: str) -> str:
    return "".join(sign for sign in name.lower() if sign.isalnum())
