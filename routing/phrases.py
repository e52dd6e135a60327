"""What the system itself says to a caller, by language. A tenant may override each by a prompt of the same name."""

from typing import Literal

Language = Literal["en", "it", "pl"]

PHRASES: dict[str, dict[Language, str]] = {
    "sys_unknown_number": {
        "en": "The number you have dialled is not in use.",
        "it": "Il numero selezionato è inesistente.",
        "pl": "Wybrany numer nie istnieje.",
    },
    "sys_wrong_key": {
        "en": "That choice is not available.",
        "it": "Scelta non disponibile.",
        "pl": "Nie ma takiego wyboru.",
    },
    "sys_leave_message": {
        "en": "Nobody can take your call. Please leave a message after the tone.",
        "it": "Nessuno può rispondere. Lasciate un messaggio dopo il segnale.",
        "pl": "Nikt nie może odebrać. Prosimy zostawić wiadomość po sygnale.",
    },
    "sys_unavailable": {
        "en": "Nobody can take your call. Please try again later.",
        "it": "Nessuno può rispondere. Si prega di riprovare più tardi.",
        "pl": "Nikt nie może odebrać. Prosimy spróbować później.",
    },
    "sys_no_mailbox": {
        "en": "You have no mailbox.",
        "it": "Non avete una casella vocale.",
        "pl": "Nie masz skrzynki głosowej.",
    },
    "sys_switch_auto": {"en": "Automatic.", "it": "Automatico.", "pl": "Tryb automatyczny."},
    "sys_switch_day": {"en": "Day.", "it": "Giorno.", "pl": "Tryb dzienny."},
    "sys_switch_night": {"en": "Night.", "it": "Notte.", "pl": "Tryb nocny."},
    "sys_switch_on": {"en": "Switched on.", "it": "Attivato.", "pl": "Włączone."},
    "sys_switch_off": {"en": "Switched off.", "it": "Disattivato.", "pl": "Wyłączone."},
    "sys_switch_moved": {"en": "The setting was changed.", "it": "Impostazione modificata.", "pl": "Ustawienie zmienione."},
    "sys_switch_stuck": {
        "en": "The setting could not be changed. Please try again later.",
        "it": "Impossibile modificare l'impostazione. Si prega di riprovare più tardi.",
        "pl": "Nie można zmienić ustawienia. Prosimy spróbować później.",
    },
}
