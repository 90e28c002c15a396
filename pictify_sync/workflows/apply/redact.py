"""What is said of a batch, cleaned of the sensitive values that went into it, before it is recorded or told.

The values are read from the manifests again, and only where something failed. Where they can no longer be told, the
text is withheld: a provider's words may hold them.
"""

from __future__ import annotations

from collections.abc import Mapping

from pictify_sync.core.entries import Intended
from pictify_sync.core.fingerprint import digest
from pictify_sync.core.model import AssetKey
from pictify_sync.core.reconcile import NotMade, Result, Unresolved
from pictify_sync.core.sensitive import cleaned, sensitive_names, values_of
from pictify_sync.errors import PictifySyncError
from pictify_sync.redaction import Redactor
from pictify_sync.workflows.apply.session import Session

Cell = tuple[int, str]  # (item index, layout)

UNKNOWN = Redactor((), known=False)
NOTHING = Redactor(())


def of_batch(session: Session, intended: Intended) -> Redactor:
    """Give what cleans a text about a whole batch."""
    values: list[object] = []
    for index in range(len(intended.batch.items)):
        found = _values(session, intended, index)
        if found is None:
            return UNKNOWN
        values += found
    return Redactor(values)


def of_kept(session: Session, key: AssetKey, variables_digest: str) -> Redactor:
    """Give what cleans a text about one recorded picture."""
    found = _restored(session, key, session.store.variables(variables_digest) or _desired(session, key))
    return UNKNOWN if found is None else Redactor(found)


def clean_results(session: Session, intended: Intended, results: Mapping[Cell, Result]) -> dict[Cell, Result]:
    """Clean what is said of each picture of the values of its own item."""
    known: dict[int, Redactor] = {}
    clean = dict(results)
    for (index, layout), result in results.items():
        if isinstance(result, NotMade) or (isinstance(result, Unresolved) and result.why):
            if index not in known:
                found = _values(session, intended, index)
                known[index] = UNKNOWN if found is None else Redactor(found)
            clean[index, layout] = cleaned(known[index], result)
    return clean


def _values(session: Session, intended: Intended, index: int) -> list[object] | None:
    """Give the sensitive values of one item; None: nobody can tell them any more."""
    item = intended.batch.items[index]
    key = next(key for keys in item.keys for key in keys)
    variables = intended.variables[index] if index < len(intended.variables) else ""
    variables = variables or session.store.variables(item.variables) or _desired(session, key)
    return _restored(session, key, variables) if digest(variables) == item.variables else None


def _desired(session: Session, key: AssetKey) -> str:
    asset = session.ports.asset(key)
    return "" if asset is None else asset.variables


def _restored(session: Session, key: AssetKey, variables: str) -> list[object] | None:
    if not variables:
        return None
    names = sensitive_names(variables)
    if not names:
        return []
    try:
        return values_of([session.ports.payloads.payload(key, variables)], names)
    except PictifySyncError:
        return None
