"""Phrases of a queue for waiting callers. Pure."""

from routing.speech.phrases import Language

LINE_WORDS: dict[str, dict[Language, str]] = {
    "queue-youarenext": {
        "en": "You are the next.", "it": "Siete i prossimi.", "pl": "Twoje połączenie jest następne."},
    "queue-thereare": {"en": "You are number", "it": "Siete il numero", "pl": "Twój numer w kolejce to"},
    "queue-callswaiting": {"en": "in the line.", "it": "in attesa.", "pl": "Prosimy czekać."},
    "queue-quantity1": {"en": "At least", "it": "Almeno", "pl": "Przed tobą czeka co najmniej"},
    "queue-quantity2": {"en": "callers are before you.", "it": "chiamate sono prima della vostra.", "pl": "osób."},
    "queue-holdtime": {
        "en": "The waiting time is about", "it": "Il tempo di attesa è di circa",
        "pl": "Przewidywany czas oczekiwania w minutach to"},
    "queue-minute": {"en": "minute.", "it": "minuto.", "pl": "Dziękujemy za cierpliwość."},
    "queue-minutes": {"en": "minutes.", "it": "minuti.", "pl": "Dziękujemy za cierpliwość."},
}
"""What a queue tells those who wait, by the names of Asterisk's app_queue: a number stands after `thereare`, `quantity1` and
`holdtime`, in its plain form, and `minute` after one."""
ONE: dict[Language, str] = {"en": "one", "it": "un", "pl": "jeden"}      # minute
HUNDRED: dict[Language, str] = {"en": "hundred", "it": "cento", "pl": "sto"}
