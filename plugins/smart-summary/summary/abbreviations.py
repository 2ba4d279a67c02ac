"""Decides whether a full stop after a word ends a sentence or only the word.

The lists hold what is frequent in English, German, French, Spanish, Italian, Portuguese, Dutch and Russian prose.
"""

import re


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


NEVER_LAST = _words(
    """mr mrs ms messrs dr prof gen col maj capt lt sgt cmdr adm sen rep gov pres rev hon st mt ft vs cf viz ca approx
    e.g i.e eg ie resp incl excl dept est
    hr bzw ggf vgl z.b z.t d.h u.a o.ä i.d.r evtl bspw sog dipl ing
    mm mme mlle mgr p.ex sra srta dra dña ud uds vd vds p.ej sig sig.ra dott avv
    dhr mevr mw drs bijv o.a d.w.z nl т.е т.к см им ул проф акад гг"""
)
"""Words that something always follows."""

BEFORE_NUMBERS = _words(
    """no nos nr nº núm num fig figs figure eq eqs sec sect ch chap vol vols p pp pg art abs par par. ed bd kap s tab
    jan feb mar apr jun jul aug sep sept oct nov dec г рис табл стр ст гл"""
)
"""Words that are abbreviations when a number follows."""

SOMETIMES_LAST = _words(
    """inc corp ltd llc co cos bros plc etc jr sr esq ph.d m.d b.a m.a d.c al usw etw p.m a.m pm am ecc p.a s.a
    u.s u.k u.n e.u u.s.a jan feb mar apr jun jul aug sep sept oct nov dec т.д т.п др"""
)
"""Words that may stand at the end as well: a common first word after them decides."""

FIRST_WORDS = _words(
    """the a an in it he she they we this that these those but and however when while after before if as at on for i
    you there our his her its their my your what who why how no not yet so then now still some many most all both one
    another since although though because according with by from to under over during despite meanwhile
    der die das ein eine es er sie wir ihr dies diese dieser im am auf bei mit nach seit aber und doch auch so wenn
    le la les un une il elle ils elles nous vous ce cette ces dans en mais et pour par avec selon
    el los las una este esta en pero y con por para según según su sus
    il lo gli uno una nel questo questa ma e con per secondo o os as um uma no na mas com
    de het een dit deze maar en в на и но это он она они мы по с"""
)
"""Words that sentences begin with and names do not."""

MONTHS = _words(
    """januar jänner februar märz april mai juni juli august september oktober november dezember
    januari februari maart mei augustus enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre
    diciembre tammikuuta helmikuuta stycznia lutego leden únor"""
)

_INITIAL = re.compile(r"[^\W\d_]\Z")
_DOTTED = re.compile(r"(?:[^\W\d_]\.)+[^\W\d_]\Z")
_ORDINAL = re.compile(r"\d{1,2}\Z")


def goes_on(before: list[str], next_word: str) -> bool:
    """Whether the sentence goes on after a full stop, given the words before it and the word after it."""
    if not before:
        return True
    word = before[-1].lstrip("\"'“‘«‹([{„‚*_")
    lower = word.lower()
    number_follows = next_word[:1].isdigit()
    opens_next = next_word.strip(",;:").lower() in FIRST_WORDS
    if lower in NEVER_LAST or (number_follows and lower in BEFORE_NUMBERS):
        return True
    if _ORDINAL.match(word):
        return len(before) == 1 or next_word.strip(",.;").lower() in MONTHS
    if lower in SOMETIMES_LAST or _DOTTED.match(word) or (_INITIAL.match(word) and word.isupper()):
        return not opens_next
    return False
