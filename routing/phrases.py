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
    "sys_blocked": {
        "en": "This call is not accepted.",
        "it": "Questa chiamata non è accettata.",
        "pl": "To połączenie nie jest przyjmowane.",
    },
    "sys_confirm": {
        "en": "A call for you. To take it, press 1.",
        "it": "Una chiamata per voi. Per accettarla, premete 1.",
        "pl": "Połączenie do ciebie. Aby je przyjąć, naciśnij 1.",
    },
}
