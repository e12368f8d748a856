"""Passwords of admins: which are good enough, and what is stored of them."""

import re
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from identity_service.domain.errors import PasswordTooWeak

MIN_LENGTH, MAX_LENGTH = 10, 200
MIN_DIFFERENT = 5

_SEQUENCES = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890123456789",
    "qwertyuiopasdfghjklzxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "q1w2e3r4t5y6u7i8o9p0",
    "1q2w3e4r5t6y7u8i9o0p",
)
_COMMON = """
abc abcd access account admin adminadmin administrator akbar amma angel anna apple asdf asdfgh
asdfghjkl bangalore baseball batman bharat boss buddha butterfly change changeit changeme
charlie charminar chennai chocolate club comedian comedy company computer connect cricket
default delhi dragon email entry facebook family flower football forever forget freedom friend
friends ganesh george god google guest hannah harry hello home hyderabad i iloveyou in india
indian instagram internet is it jennifer jesus jordan killer king krishna laptop letme letmein
lets linkedin live login london lord love lovely loveyou lucky ludo magic manager master me
michael microsoft mobile money monkey mother mumbai music my mypassword name naruto never new
nothing of office omsairam one online open orange organizer pass passcode passphrase passwd
password passwort phone please pokemon prince princess private purple qazwsx qwe qwer qwert
qwerty qwertyui qwertyuiop qwertz rainbow ram ramesh robert root sachin sai sairam samsung
secret secure security server service shadow shiva show shows single soccer star stars starwars
strong summer sunshine super superman superuser suresh sweet sysadmin system team telugu temp
temporary test tester testing the this ticket tickets tiger to trustno unknown user username
virat welcome whatever winter with word work world xyz you your zaq zxcvbn zxcvbnm
"""
_COMMON_WORDS = frozenset(_COMMON.split())
_LONGEST_WORD = max(map(len, _COMMON_WORDS))
_LOOKALIKES = str.maketrans("013457@$!", "oleastasi")
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)  # argon2id


def require_strong(password: str, *, email: str) -> None:
    """Check that the password is not among the first that somebody would try.

    Raises:
        PasswordTooWeak: says what is wrong with it.
    """
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise PasswordTooWeak(f"Between {MIN_LENGTH} and {MAX_LENGTH} characters are needed.")
    plain = _normal(password).casefold()
    if len(set(plain)) < MIN_DIFFERENT:
        raise PasswordTooWeak(f"At least {MIN_DIFFERENT} different characters are needed.")
    if plain.isdigit() or _is_sequence(plain) or _is_common(plain):
        raise PasswordTooWeak("This password is too common. Please choose another one.")
    mailbox = email.casefold().partition("@")[0]
    if len(mailbox) >= MIN_DIFFERENT and mailbox in plain:
        raise PasswordTooWeak("The password must not contain your e-mail address.")


def hash_password(password: str) -> str:
    """Return what is stored of a password: argon2id with a salt of its own."""
    return _HASHER.hash(_normal(password))


def is_password(password_hash: str, password: str) -> bool:
    """Return whether this is the password; takes as long if it is not."""
    try:
        return _HASHER.verify(password_hash, _normal(password))
    except (VerificationError, InvalidHashError):
        return False


def _normal(password: str) -> str:
    """Return the same for the same characters, whatever keyboard they were typed on."""
    return unicodedata.normalize("NFKC", password)


def _is_sequence(plain: str) -> bool:
    rows = [row + row for row in _SEQUENCES]
    return any(plain in row or plain[::-1] in row for row in rows)


def _is_common(plain: str) -> bool:
    core = re.sub(r"^[^a-z]+|[^a-z]+$", "", plain)
    letters = {re.sub("[^a-z]", "", text) for text in (plain, core.translate(_LOOKALIKES))}
    return any(_is_made_of_common_words(text) for text in letters)


def _is_made_of_common_words(letters: str) -> bool:
    ends = {0}  # where a row of common words can end
    for end in range(1, len(letters) + 1):
        starts = range(max(0, end - _LONGEST_WORD), end)
        if any(start in ends and letters[start:end] in _COMMON_WORDS for start in starts):
            ends.add(end)
    return len(letters) > 0 and len(letters) in ends
