"""What can go wrong for a caller; each error carries its HTTP status, each dialect renders it its own way."""

from dataclasses import dataclass


class DomainError(Exception):
    """A refusal with a sentence for the caller that says what to do."""

    status = 400
    retry_after = 0
    """Seconds after which the same may succeed; 0 when that is unknown."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Unauthorized(DomainError):
    """No key, or one that nobody has."""

    status = 401


class PermissionDenied(DomainError):
    """A key that may not do this."""

    status = 403


class NotFound(DomainError):
    """No such thing, or not theirs: the two look the same from outside."""

    status = 404


def no_check(*, elsewhere: bool) -> DomainError:
    """The refusal of a check that is not the caller's: Healthchecks tells whether another service has it (B.0)."""
    return PermissionDenied("It is in another project") if elsewhere else NotFound("Check not found")


class Conflict(DomainError):
    """The thing exists already."""

    status = 409


class PreconditionFailed(DomainError):
    """`If-Match` names another version than the present one."""

    status = 412


class TooMany(DomainError):
    """More at a time than one organisation may have."""

    status = 429


class WrongTokensError(TooMany):
    """More wrong tokens in a minute than one address may try."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"Too many wrong tokens came from your address; try again in {retry_after} seconds.")
        self.retry_after = retry_after


class Unavailable(DomainError):
    """One of our own parts is away; the caller may try again."""

    status = 503
    retry_after = 1


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field; `field` is its dotted path, such as `conditions.0.operator`."""

    field: str
    message: str


class Invalid(DomainError):
    """Fields that are missing, of the wrong type or out of range."""

    status = 422

    def __init__(self, *errors: FieldError) -> None:
        super().__init__("The request is invalid: " + "; ".join(f"{error.field}: {error.message}" for error in errors))
        self.errors = errors
