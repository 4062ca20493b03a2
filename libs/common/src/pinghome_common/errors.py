"""Errors for callers, each with its HTTP status; the dialects render them."""

from dataclasses import dataclass


class DomainError(Exception):
    """An error with a sentence that tells the caller what to do."""

    status = 400
    retry_after = 0
    """Seconds after which a retry may succeed; 0 if unknown."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Unauthorized(DomainError):
    """No key, or an unknown one."""

    status = 401


class PermissionDenied(DomainError):
    """The key does not allow this."""

    status = 403


class NotFound(DomainError):
    """It does not exist, or belongs to somebody else, which callers cannot tell apart."""

    status = 404


class Conflict(DomainError):
    """It already exists."""

    status = 409


class PreconditionFailed(DomainError):
    """`If-Match` names a version other than the current one."""

    status = 412


class TooMany(DomainError):
    """One organisation or address exceeds a limit."""

    status = 429

    def __init__(self, message: str, retry_after: int = 0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class WrongTokensError(TooMany):
    """More wrong tokens in a minute than one address is allowed."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(
            f"Too many wrong tokens came from your address; try again in {retry_after} seconds.", retry_after
        )


class Unavailable(DomainError):
    """A part of the platform is unavailable; the caller may try again."""

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
