"""Finding shows by words, through what the triggers of the schema keep in `show_search`.

Typos are forgiven where Postgres has pg_trgm; the index `ix_show_search_words` tells whether.
"""

from sqlalchemy import ColumnElement, Text, and_, func, literal, select
from sqlalchemy.orm import Session

from catalog_service.models import ShowRow, ShowSearchRow

SIMILARITY = 0.42  # of a word to the nearest one of a show: two letters in nine may be exchanged
MIN_LETTERS = 4  # of a word that may have typos; shorter ones are like too many others


def plan_for_these_values(session: Session) -> None:
    """Have Postgres plan the statements of this transaction for the values they have.

    How many shows a city or a word narrows a list to differs so much that one plan for all of them
    would read the whole table for some.
    """
    session.execute(
        select(
            func.set_config("plan_cache_mode", "force_custom_plan", True),
            func.set_config("pg_trgm.word_similarity_threshold", str(SIMILARITY), True),
        )
    )


def forgives_typos(session: Session) -> bool:
    """Return whether shows can be found by words that are spelt almost like theirs."""
    return bool(
        session.scalar(select(func.to_regclass("catalog.ix_show_search_words").is_not(None)))
    )


def mentions(words: str) -> ColumnElement[bool]:
    """Every word is the beginning of one in the show's texts or performers' names."""
    query = func.catalog.search_query(literal(words, Text))
    return _found(ShowSearchRow.document.bool_op("@@")(query))


def spelt_like(words: str) -> ColumnElement[bool]:
    """Every word is almost one in the title, the place or the performers' names."""
    return _found(
        and_(
            *(
                ShowSearchRow.words.bool_op("OPERATOR(extensions.%>)")(
                    func.catalog.folded(literal(word, Text))
                )
                if len(word) >= MIN_LETTERS
                else ShowSearchRow.document.bool_op("@@")(
                    func.catalog.search_query(literal(word, Text))
                )
                for word in words.split()
            )
        )
    )


def _found(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return ShowRow.id.in_(select(ShowSearchRow.show_id).where(condition))
