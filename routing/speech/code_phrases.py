"""Phrases after a keypad code: the new setting, or why nothing changed. In pieces, which a name or digits follow. Pure."""

from typing import Literal

CODE_PHRASES: dict[str, dict[Literal["en", "it", "pl"], str]] = {
    "sys_code_wrong": {
        "en": "That code cannot be used like this. Nothing was changed.",
        "it": "Questo codice non può essere usato così. Nulla è stato modificato.",
        "pl": "Tego kodu nie można tak użyć. Nic nie zmieniono.",
    },
    "sys_code_failed": {
        "en": "The change could not be made. Please try again later.",
        "it": "Impossibile effettuare la modifica. Si prega di riprovare più tardi.",
        "pl": "Nie udało się wprowadzić zmiany. Prosimy spróbować później.",
    },
    "sys_code_no_group": {
        "en": "You are in no group with this number. Nothing was changed.",
        "it": "Non fate parte di un gruppo con questo numero. Nulla è stato modificato.",
        "pl": "Nie należysz do grupy o tym numerze. Nic nie zmieniono.",
    },
    "sys_logged_in": {
        "en": "You are logged in everywhere.",
        "it": "Siete collegati ovunque.",
        "pl": "Jesteś zalogowany wszędzie.",
    },
    "sys_logged_in_to": {"en": "You are logged in to", "it": "Siete collegati a", "pl": "Jesteś zalogowany do:"},
    "sys_logged_out": {
        "en": "You are logged out everywhere.",
        "it": "Siete scollegati ovunque.",
        "pl": "Jesteś wszędzie wylogowany.",
    },
    "sys_logged_out_of": {"en": "You are logged out of", "it": "Siete scollegati da", "pl": "Jesteś wylogowany z:"},
    "sys_paused": {"en": "You are paused everywhere.", "it": "Siete in pausa ovunque.", "pl": "Masz przerwę wszędzie."},
    "sys_paused_in": {"en": "You are paused in", "it": "Siete in pausa in", "pl": "Masz przerwę w:"},
    "sys_resumed": {"en": "You are paused nowhere.", "it": "Non siete più in pausa.", "pl": "Nigdzie nie masz przerwy."},
    "sys_resumed_in": {
        "en": "You are no longer paused in",
        "it": "Non siete più in pausa in",
        "pl": "Nie masz już przerwy w:",
    },
    "sys_dnd_on": {"en": "Do not disturb is on.", "it": "Non disturbare è attivo.", "pl": "Nie przeszkadzać: włączone."},
    "sys_dnd_off": {
        "en": "Do not disturb is off.",
        "it": "Non disturbare è disattivato.",
        "pl": "Nie przeszkadzać: wyłączone.",
    },
    "sys_forward_unconditional": {
        "en": "All your calls go to",
        "it": "Tutte le vostre chiamate vanno a",
        "pl": "Wszystkie twoje połączenia są kierowane na numer",
    },
    "sys_forward_busy": {
        "en": "When you are busy, your calls go to",
        "it": "Se siete occupati, le vostre chiamate vanno a",
        "pl": "Gdy masz zajęte, połączenia są kierowane na numer",
    },
    "sys_forward_no_answer": {
        "en": "When you do not answer, your calls go to",
        "it": "Se non rispondete, le vostre chiamate vanno a",
        "pl": "Gdy nie odbierasz, połączenia są kierowane na numer",
    },
    "sys_forward_unavailable": {
        "en": "When your phone cannot be reached, your calls go to",
        "it": "Se il vostro telefono non è raggiungibile, le chiamate vanno a",
        "pl": "Gdy twój telefon jest niedostępny, połączenia są kierowane na numer",
    },
    "sys_forward_unconditional_off": {
        "en": "Your calls are not forwarded.", "it": "Le vostre chiamate non vengono trasferite.",
        "pl": "Twoje połączenia nie są przekierowane.",
    },
    "sys_forward_busy_off": {
        "en": "When you are busy, your calls are not forwarded.",
        "it": "Se siete occupati, le chiamate non vengono trasferite.",
        "pl": "Gdy masz zajęte, połączenia nie są przekierowane.",
    },
    "sys_forward_no_answer_off": {
        "en": "When you do not answer, your calls are not forwarded.",
        "it": "Se non rispondete, le chiamate non vengono trasferite.",
        "pl": "Gdy nie odbierasz, połączenia nie są przekierowane.",
    },
    "sys_forward_unavailable_off": {
        "en": "When your phone cannot be reached, your calls are not forwarded.",
        "it": "Se il vostro telefono non è raggiungibile, le chiamate non vengono trasferite.",
        "pl": "Gdy twój telefon jest niedostępny, połączenia nie są przekierowane.",
    },
    "sys_forward_refused": {
        "en": "Your calls cannot be forwarded to that number. Nothing was changed.",
        "it": "Le chiamate non possono essere trasferite a quel numero. Nulla è stato modificato.",
        "pl": "Nie można przekierować połączeń na ten numer. Nic nie zmieniono.",
    },
    "sys_wake_up_at": {"en": "You will be woken up at", "it": "Sarete svegliati alle", "pl": "Budzenie o godzinie"},
    "sys_wake_up_off": {"en": "You will not be woken up.", "it": "Non sarete svegliati.", "pl": "Nie będzie budzenia."},
    "sys_wake_up_wrong": {
        "en": "That is no time of the day. Key the hour and the minutes, two digits each. Nothing was changed.",
        "it": "Non è un orario valido. Digitate ore e minuti con due cifre ciascuno. Nulla è stato modificato.",
        "pl": "To nie jest godzina. Podaj godzinę i minuty, po dwie cyfry. Nic nie zmieniono.",
    },
    "sys_wake_up": {"en": "This is your wake-up call.", "it": "Questa è la vostra sveglia.", "pl": "To jest budzenie."},
    "sys_time_is": {"en": "The time is", "it": "Sono le", "pl": "Jest godzina"},
    "sys_echo": {
        "en": "You will hear yourself now. To end, press hash.",
        "it": "Ora sentirete la vostra voce. Per terminare, premete cancelletto.",
        "pl": "Teraz usłyszysz siebie. Aby zakończyć, naciśnij krzyżyk.",
    },
    "sys_no_last_caller": {
        "en": "The number of your last caller is not known.",
        "it": "Il numero dell'ultima chiamata non è noto.",
        "pl": "Numer ostatniego rozmówcy nie jest znany.",
    },
    "sys_nothing_set": {"en": "Nothing is set.", "it": "Nessuna impostazione.", "pl": "Nic nie jest ustawione."},
    "sys_digit_plus": {"en": "plus", "it": "più", "pl": "plus"},
}
_DIGITS: dict[Literal["en", "it", "pl"], str] = {
    "en": "zero one two three four five six seven eight nine",
    "it": "zero uno due tre quattro cinque sei sette otto nove",
    "pl": "zero jeden dwa trzy cztery pięć sześć siedem osiem dziewięć",
}
CODE_PHRASES |= {
    f"sys_digit_{digit}": {language: words.split()[digit] for language, words in _DIGITS.items()} for digit in range(10)}


def digits(number: str) -> tuple[str, ...]:
    """The prompts that say a number, digit by digit."""
    return tuple("sys_digit_plus" if digit == "+" else f"sys_digit_{digit}" for digit in number)
