"""Phrases of the system for callers, by language. A tenant may override each by a prompt of the same name."""

from typing import Literal, get_args

from routing.speech.code_phrases import CODE_PHRASES

Language = Literal["en", "it", "pl"]
LANGUAGES: tuple[Language, ...] = get_args(Language)

PHRASES: dict[str, dict[Language, str]] = {
    "sys_unknown_number": {
        "en": "The number you have dialled is not in use.",
        "it": "Il numero selezionato è inesistente.",
        "pl": "Wybrany numer nie istnieje.",
    },
    "sys_transfer_to": {
        "en": "To which number?",
        "it": "A quale numero?",
        "pl": "Na jaki numer?",
    },
    "sys_transfer_refused": {
        "en": "No call can be transferred to this number.",
        "it": "Non si può trasferire la chiamata a questo numero.",
        "pl": "Na ten numer nie można przekazać połączenia.",
    },
    "sys_transfer_failed": {
        "en": "The call could not be transferred. Please try again later.",
        "it": "Impossibile trasferire la chiamata. Si prega di riprovare più tardi.",
        "pl": "Nie udało się przekazać połączenia. Prosimy spróbować później.",
    },
    "sys_parked": {"en": "Parked in", "it": "Parcheggiata in", "pl": "Zaparkowano na"},
    "sys_parking_full": {
        "en": "No parking place is free.",
        "it": "Nessun posto di parcheggio è libero.",
        "pl": "Żadne miejsce parkingowe nie jest wolne.",
    },
    "sys_nothing_parked": {
        "en": "No call is parked here.",
        "it": "Nessuna chiamata è parcheggiata qui.",
        "pl": "Nie ma tu zaparkowanego połączenia.",
    },
    "sys_nothing_to_pick_up": {
        "en": "There is no call to pick up.",
        "it": "Non c'è nessuna chiamata da prendere.",
        "pl": "Nie ma połączenia do przejęcia.",
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
    "sys_unreachable": {
        "en": "The number you have dialled cannot be reached.",
        "it": "Il numero selezionato non è raggiungibile.",
        "pl": "Wybrany numer jest nieosiągalny.",
    },
    "sys_outside_busy": {
        "en": "The number you have dialled is busy.",
        "it": "Il numero selezionato è occupato.",
        "pl": "Wybrany numer jest zajęty.",
    },
    "sys_outside_no_answer": {
        "en": "Nobody answers at the number you have dialled.",
        "it": "Il numero selezionato non risponde.",
        "pl": "Wybrany numer nie odpowiada.",
    },
    "sys_outside_declined": {
        "en": "Your call was declined.",
        "it": "La chiamata è stata rifiutata.",
        "pl": "Połączenie zostało odrzucone.",
    },
    "sys_not_permitted": {
        "en": "You are not permitted to make this call.",
        "it": "Non siete abilitati a questa chiamata.",
        "pl": "Nie masz uprawnień do tego połączenia.",
    },
    "sys_outside_closed": {
        "en": "Calls to the outside are closed at this time.",
        "it": "Le chiamate esterne sono chiuse in questo orario.",
        "pl": "Połączenia zewnętrzne są teraz wyłączone.",
    },
    "sys_outside_pin": {
        "en": "If you have a PIN, key it now, then the hash key.",
        "it": "Se avete un codice, digitatelo, seguito da cancelletto.",
        "pl": "Jeśli masz kod PIN, podaj go, a potem naciśnij krzyżyk.",
    },
    "sys_outside_wrong_pin": {
        "en": "That is not the right PIN. Key it again.", "it": "Codice errato. Digitatelo di nuovo.",
        "pl": "Błędny kod PIN. Podaj go ponownie.",
    },
    "sys_outside_new_country": {
        "en": "Nobody has called this country before. To call it, press 1.",
        "it": "Nessuno ha mai chiamato questo paese. Per chiamarlo, premete 1.",
        "pl": "Nikt jeszcze nie dzwonił do tego kraju. Aby zadzwonić, naciśnij 1.",
    },
    "sys_outside_lines_taken": {
        "en": "All lines are taken. Please try again later.", "it": "Tutte le linee sono occupate. Riprovare più tardi.",
        "pl": "Wszystkie linie są zajęte. Prosimy spróbować później.",
    },
    "sys_outside_too_many": {
        "en": "There are too many calls to the outside at the moment.",
        "it": "Ci sono troppe chiamate esterne in questo momento.",
        "pl": "W tej chwili jest zbyt wiele połączeń zewnętrznych.",
    },
    "sys_outside_stopped": {
        "en": "Calls to the outside are stopped. Please call your administrator.",
        "it": "Le chiamate esterne sono bloccate. Rivolgetevi all'amministratore.",
        "pl": "Połączenia zewnętrzne są zablokowane. Skontaktuj się z administratorem.",
    },
    "sys_no_line": {
        "en": "No outside line is available. Please try again later.",
        "it": "Nessuna linea esterna disponibile. Si prega di riprovare più tardi.",
        "pl": "Brak wolnej linii zewnętrznej. Prosimy spróbować później.",
    },
    "sys_no_mailbox": {
        "en": "You have no mailbox.",
        "it": "Non avete una casella vocale.",
        "pl": "Nie masz skrzynki głosowej.",
    },
    "sys_nowhere_to_move": {
        "en": "You have no other phone.", "it": "Non avete altri telefoni.", "pl": "Nie masz innego telefonu.",
    },
    "sys_nothing_to_move": {
        "en": "None of your other phones is in a call.",
        "it": "Nessun altro vostro telefono è impegnato in una conversazione.",
        "pl": "Żaden z twoich innych telefonów nie prowadzi rozmowy.",
    },
    "sys_mobile_pin": {
        "en": "Your PIN?",
        "it": "Il vostro codice PIN?",
        "pl": "Podaj swój PIN.",
    },
    "sys_mobile_wrong_pin": {
        "en": "That PIN is not right.",
        "it": "Il codice PIN non è corretto.",
        "pl": "Ten PIN jest nieprawidłowy.",
    },
    "sys_mobile_number": {
        "en": "Dial, please, and end with the hash key.",
        "it": "Componete il numero e terminate con il cancelletto.",
        "pl": "Wybierz numer i zakończ krzyżykiem.",
    },
    "sys_directory": {
        "en": "Key the first letters of a name.",
        "it": "Digitate le prime lettere di un nome.",
        "pl": "Wybierz pierwsze litery nazwiska lub imienia.",
    },
    "sys_directory_speech": {
        "en": "After the tone, say a first and a last name, or key the first letters.",
        "it": "Dopo il segnale, dite nome e cognome, oppure digitate le prime lettere.",
        "pl": "Po sygnale powiedz imię i nazwisko albo wybierz pierwsze litery.",
    },
    "sys_not_understood": {
        "en": "We did not understand.",
        "it": "Non abbiamo capito.",
        "pl": "Nie zrozumieliśmy.",
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
    "sys_conference_pin": {
        "en": "Please key the PIN of the conference.",
        "it": "Digitate il codice della conferenza.",
        "pl": "Podaj kod konferencji.",
    },
    "sys_conference_wrong_pin": {"en": "That PIN is wrong.", "it": "Il codice è errato.", "pl": "Ten kod jest błędny."},
    "sys_conference_too_many": {
        "en": "Too many wrong PINs were keyed for this conference. Please try again later.",
        "it": "Sono stati digitati troppi codici errati per questa conferenza. Si prega di riprovare più tardi.",
        "pl": "Podano zbyt wiele błędnych kodów tej konferencji. Prosimy spróbować później.",
    },
    "sys_conference_alone": {
        "en": "You are the first in this conference.",
        "it": "Siete il primo in questa conferenza.",
        "pl": "Jesteś pierwszą osobą w tej konferencji.",
    },
    "sys_conference_wait": {
        "en": "The conference begins when its moderator is here.",
        "it": "La conferenza inizia quando arriva il moderatore.",
        "pl": "Konferencja zacznie się, gdy przyjdzie moderator.",
    },
    "sys_conference_ended": {
        "en": "The moderator has left the conference.",
        "it": "Il moderatore ha lasciato la conferenza.",
        "pl": "Moderator opuścił konferencję.",
    },
    "sys_conference_removed": {
        "en": "You were removed from the conference.",
        "it": "Siete stati rimossi dalla conferenza.",
        "pl": "Usunięto cię z konferencji.",
    },
    "sys_conference_closed": {
        "en": "Nobody else can join this conference now.",
        "it": "Al momento nessun altro può entrare in questa conferenza.",
        "pl": "Do tej konferencji nie może teraz nikt dołączyć.",
    },
    "sys_conference_muted": {"en": "Nobody hears you now.", "it": "Ora nessuno vi sente.", "pl": "Teraz nikt cię nie słyszy."},
    "sys_conference_unmuted": {"en": "You are heard again.", "it": "Ora vi sentono di nuovo.", "pl": "Znowu cię słychać."},
    "sys_conference_locked": {
        "en": "The conference is locked.",
        "it": "La conferenza è chiusa.",
        "pl": "Konferencja jest zamknięta.",
    },
    "sys_conference_unlocked": {
        "en": "The conference is open again.",
        "it": "La conferenza è di nuovo aperta.",
        "pl": "Konferencja jest znowu otwarta.",
    },
    "sys_queue_call_back": {
        "en": "We can call you back when it is your turn. To agree, press one. To wait on, press nothing.",
        "it": "Possiamo richiamarvi quando sarà il vostro turno. Per accettare, premete uno. Per attendere, non premete nulla.",
        "pl": "Możemy oddzwonić, gdy przyjdzie twoja kolej. Jeśli tak, naciśnij jeden. Jeśli wolisz czekać, nie naciskaj nic.",
    },
    "sys_queue_call_back_agreed": {
        "en": "We will call you back. Good-bye.",
        "it": "Vi richiameremo. Arrivederci.",
        "pl": "Oddzwonimy. Do usłyszenia.",
    },
    "sys_queue_call_back_agent": {
        "en": "A call back. The caller is being rung.",
        "it": "Una richiamata. Il cliente viene chiamato.",
        "pl": "Oddzwanianie. Łączę z rozmówcą.",
    },
    "sys_queue_call_back_refused": {
        "en": "The caller cannot be called back now. Calls to the outside are not allowed at the moment.",
        "it": "Ora non è possibile richiamare il cliente. Le chiamate esterne non sono consentite in questo momento.",
        "pl": "Nie można teraz oddzwonić do rozmówcy. Połączenia zewnętrzne są w tej chwili zablokowane.",
    },
    "sys_queue_call_back_unanswered": {
        "en": "The caller does not answer.",
        "it": "Il cliente non risponde.",
        "pl": "Rozmówca nie odpowiada.",
    },
}
PHRASES |= CODE_PHRASES
