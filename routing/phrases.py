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
    "sys_directory": {
        "en": "Key the first letters of a name.",
        "it": "Digitate le prime lettere di un nome.",
        "pl": "Wybierz pierwsze litery nazwiska lub imienia.",
    },
    "sys_nobody_of_that_name": {
        "en": "There is nobody of that name.",
        "it": "Non c'è nessuno con questo nome.",
        "pl": "Nie ma nikogo o takim nazwisku.",
    },
    "sys_more": {
        "en": "For more names,",
        "it": "Per altri nomi,",
        "pl": "Więcej nazwisk,",
    },
    "sys_press_1": {
        "en": "press one.",
        "it": "premete uno.",
        "pl": "naciśnij jeden.",
    },
    "sys_press_2": {
        "en": "press two.",
        "it": "premete due.",
        "pl": "naciśnij dwa.",
    },
    "sys_press_3": {
        "en": "press three.",
        "it": "premete tre.",
        "pl": "naciśnij trzy.",
    },
    "sys_press_4": {
        "en": "press four.",
        "it": "premete quattro.",
        "pl": "naciśnij cztery.",
    },
    "sys_press_5": {
        "en": "press five.",
        "it": "premete cinque.",
        "pl": "naciśnij pięć.",
    },
    "sys_press_6": {
        "en": "press six.",
        "it": "premete sei.",
        "pl": "naciśnij sześć.",
    },
    "sys_press_7": {
        "en": "press seven.",
        "it": "premete sette.",
        "pl": "naciśnij siedem.",
    },
    "sys_press_8": {
        "en": "press eight.",
        "it": "premete otto.",
        "pl": "naciśnij osiem.",
    },
    "sys_press_9": {
        "en": "press nine.",
        "it": "premete nove.",
        "pl": "naciśnij dziewięć.",
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
