"""Column types and constraint makers that several nouns share."""

from datetime import UTC, datetime

from sqlalchemy import CheckConstraint, DateTime, TypeDecorator


class Moment(TypeDecorator):
    """A point in time: aware UTC in Python, naive UTC in the database (SQLite keeps no zone)."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value, dialect):
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value, dialect):
        return None if value is None else value.replace(tzinfo=UTC)


def now():
    return datetime.now(UTC)


def one_of(column, values, name=None):
    """CHECK that a column holds one of the values that the rules name."""
    listed = ", ".join(f"'{v}'" for v in values)
    return CheckConstraint(f"{column} IN ({listed})", name=name or f"{column}_known")


def no_longer_than(column, limit):
    return CheckConstraint(f"length({column}) <= {limit}", name=f"{column}_length")
