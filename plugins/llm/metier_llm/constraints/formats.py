"""The formats of strings, as patterns. A format that is not here is what the specification calls an annotation."""

from __future__ import annotations

_DAY = r"(0[1-9]|1[0-9]|2[0-8])"
_DATE = rf"(19|20)[0-9]{{2}}-(0[1-9]|1[0-2])-{_DAY}"
_TIME = r"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?(Z|[+-](0[0-9]|1[0-4]):(00|30))"
_LABEL = r"[a-z]([a-z0-9-]{0,20}[a-z0-9])?"
_HOST = rf"({_LABEL}\.){{1,3}}[a-z]{{2,6}}"
_BYTE = r"(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_PATH = r"(/[A-Za-z0-9._~-]{1,24}){0,5}/?"
_QUERY = r"(\?[a-z_]{1,12}=[A-Za-z0-9._~-]{1,24}(&[a-z_]{1,12}=[A-Za-z0-9._~-]{1,24}){0,3})?"

FORMATS = {
    "date": _DATE,
    "time": _TIME,
    "date-time": f"{_DATE}T{_TIME}",
    "duration": r"P([1-9][0-9]{0,2}W|[1-9][0-9]{0,2}D(T[1-9][0-9]?H)?|T[1-9][0-9]?H([1-5]?[0-9]M)?|T[1-9][0-9]?M)",
    "email": rf"[A-Za-z0-9_+-]{{1,20}}(\.[A-Za-z0-9_+-]{{1,20}}){{0,2}}@{_HOST}",
    "hostname": _HOST,
    "ipv4": rf"({_BYTE}\.){{3}}{_BYTE}",
    "ipv6": r"([0-9a-f]{1,4}:){7}[0-9a-f]{1,4}",
    "uuid": r"[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
    "uri": rf"https?://{_HOST}{_PATH}{_QUERY}",
    "uri-reference": rf"(https?://{_HOST})?{_PATH}{_QUERY}",
    "json-pointer": r"(/[A-Za-z0-9_-]{1,24}){0,6}",
    "regex": r"\^?[A-Za-z0-9_ -]{1,40}\$?",
}
FORMATS |= {"idn-email": FORMATS["email"], "idn-hostname": FORMATS["hostname"], "iri": FORMATS["uri"]}
