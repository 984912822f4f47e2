"""Every error this project raises on purpose, classed by what its reader can do about it.

    SwrWarehouseError
    ├── SettingsError             a setting or flag is missing or wrong: change it
    │   └── OtherRegistry         the warehouse directory holds another registry
    ├── RulesError                a file of retention rules, or a reading, is wrong: change it
    ├── SnapshotError             a file of what runs cannot be read: make it again
    ├── SwrError                  SWR or IAM did not give what was asked
    │   ├── SwrUnavailable        it may do so later: retried, then reported
    │   │   └── UnexpectedResponse   it answered with something else than the API's shape
    │   ├── SwrUnauthenticated    credentials refused: renew or correct them
    │   ├── SwrForbidden          credentials fine, permission missing
    │   ├── SwrNotFound           SWR itself says that there is no such namespace or repository
    │   ├── SwrUnknownPath        a 404 of somebody else: gateway, proxy, wrong endpoint
    │   ├── SwrAnswerTooLarge     more than we hold in memory: see SWR_MAX_ANSWER_MB
    │   └── SwrRefused            the request itself was refused
    │       └── SwrPageRefused       for the size or place of the page
    ├── CatalogueError            a file of tag records for the emulator is unreadable
    ├── LandingError              a landing folder is unreadable
    ├── AlertFailed              a webhook did not take an alert: check its setting
    ├── RunStoreError             Dagster's own files cannot be written: free their disk
    ├── NoPullsKnown              nothing says when tags were pulled: go by updates
    ├── NothingRead               a run read nothing: nothing is published
    └── WarehouseError            the warehouse cannot be opened, built or published
        ├── WarehouseMissing      there is none yet: run an ingest
        ├── StateMissing          the run's own file is lost: restore it
        ├── WarehouseBusy         another run is writing it
        ├── WarehouseTooNew       written by a newer version: upgrade this one
        ├── MigrationChanged      an applied migration is not the file it was
        ├── LakeError             the lake of a shared engine cannot be read or written
        ├── EngineError           Spark cannot be reached, or could not do its part
        │   └── EngineMissing        it is not installed: install it
        └── CheckFailed           a blocking check found rows: not published

Messages are one sentence naming the thing and what to do. No message ever holds a secret.
"""


class SwrWarehouseError(Exception):
    """Anything this project reports to people as one sentence, without a traceback."""


class SettingsError(SwrWarehouseError):
    """A setting or flag is missing or wrong."""


class OtherRegistry(SettingsError):
    """The warehouse directory holds another registry than the run reads."""


class RulesError(SwrWarehouseError):
    """A file of retention rules, or the way they are to be read, is wrong."""


class SnapshotError(SwrWarehouseError):
    """A file of what runs is none, or breaks off."""


class SwrError(SwrWarehouseError):
    """SWR or IAM did not give what was asked.

    The text always names method, URL (without query secrets), status, error code and request id,
    as far as they are known. `is_final` says that it was tried as often as is worth it.
    """

    is_final = False

    def __init__(
        self,
        problem: str,
        *,
        request: str,
        status: int | None = None,
        code: str | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        self.problem = problem
        self.request = request
        self.status = status
        self.code = code
        self.request_id = request_id
        self.retry_after = retry_after
        details = [
            f"status {status}" if status is not None else None,
            f"code {code}" if code else None,
            f"request id {request_id}" if request_id else None,
        ]
        known = ", ".join(detail for detail in details if detail)
        super().__init__(f"{request}: {problem}" + (f" ({known})" if known else ""))


class SwrUnavailable(SwrError):
    """The endpoint is unreachable, overloaded or broken; the same request may work later."""


class UnexpectedResponse(SwrUnavailable):
    """The endpoint said it went well but sent something else than the API's shape."""


class SwrUnauthenticated(SwrError):
    """The credentials were refused."""


class SwrForbidden(SwrError):
    """The credentials are valid but may not do this."""


class SwrNotFound(SwrError):
    """SWR itself says that there is no such namespace or repository; `code` tells which."""


class SwrUnknownPath(SwrError):
    """A 404 that says nothing of a repository: a gateway's, a proxy's, a wrong endpoint's."""


class SwrRefused(SwrError):
    """The request itself was refused; sending it again would not help."""


class SwrPageRefused(SwrRefused):
    """The request was refused for its limit or offset; a smaller page may do."""


class SwrAnswerTooLarge(SwrError):
    """The answer is larger than may be held in memory, or lists too much; it is not retried."""


class CatalogueError(SwrWarehouseError):
    """A file of tag records for the emulator is unreadable."""


class LandingError(SwrWarehouseError):
    """A landing folder is unreadable."""


class AlertFailed(SwrWarehouseError):
    """A webhook did not take an alert."""


class RunStoreError(SwrWarehouseError):
    """Dagster's own files cannot be written, before anything was published."""


class NoPullsKnown(SwrWarehouseError):
    """Something is to go by when tags were pulled, and nothing says so of any tag."""


class NothingRead(SwrWarehouseError):
    """A run read nothing, so nothing was published."""


class WarehouseError(SwrWarehouseError):
    """The warehouse cannot be opened, built or published."""


class WarehouseMissing(WarehouseError):
    """There is no published warehouse yet."""


class StateMissing(WarehouseError):
    """The published warehouse is there and the state it was made from is not."""


class WarehouseBusy(WarehouseError):
    """Another run is writing the warehouse."""


class WarehouseShortOfMemory(WarehouseError):
    """What was to be done does not fit into the memory that the database may take."""


class WarehouseTooNew(WarehouseError):
    """The warehouse was written by a newer version of this project."""


class MigrationChanged(WarehouseError):
    """A migration that was applied is not the file it was."""


class LakeError(WarehouseError):
    """The lake that an engine shares with us cannot be read or written."""


class EngineError(WarehouseError):
    """Spark cannot be started or reached, or could not do its part."""


class EngineMissing(EngineError):
    """Spark, or the Java that it needs, is not installed."""


class CheckFailed(WarehouseError):
    """A blocking check found offending rows; nothing was published."""
