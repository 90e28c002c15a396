"""Part of the use case `doctor`: whether templates in use are at their provider, and fit what is sent.

Declared templates were checked when the manifests were read; of others the provider alone knows the rules.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from pictify_sync.core.health import Check, Health
from pictify_sync.core.model import Asset
from pictify_sync.core.ports import Desired, Provider
from pictify_sync.core.template import TemplateRecord, VariableRule

Place = tuple[str, str]  # provider, template


@dataclass(slots=True)
class Use:
    """How manifests use one template."""

    layouts: dict[str, Asset] = field(default_factory=dict)  # and the first asset that asks for each
    pictures: int = 0


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One way in which what is sent does not fit; counted over all pictures."""

    health: Health
    message: str
    hint: str


def uses(desired: Iterable[Asset]) -> dict[Place, Use]:
    """The templates in use, in order of appearance."""
    found: dict[Place, Use] = {}
    for asset in desired:
        use = found.setdefault((asset.spec.provider, asset.spec.template), Use())
        use.layouts.setdefault(asset.spec.variant, asset)
        use.pictures += 1
    return found


def declared(name: str, use: Use, record: TemplateRecord | None, provider: Provider) -> Iterator[Check]:
    """A template that manifests declare: it is pushed when it is needed. Raises ProviderError."""
    place = f"{provider.name}, template {name}"
    if record is None:
        yield Check("templates", place, Health.OK, "declared; the next apply pushes it")
    elif provider.observe_template(record.uid) is None:
        hint = "the next apply makes it anew"
        yield Check("templates", place, Health.WARNING, f"it is gone: the provider holds nothing as {record.uid}", hint)
    else:
        yield Check("templates", place, Health.OK, f"it is there, as {record.uid} (pictures: {use.pictures:,})")


def foreign(name: str, use: Use, seen: TemplateRecord | None, desired: Desired) -> Iterator[Check]:
    """A template that only the provider knows: its layouts, and its rules for variables."""
    first = next(iter(use.layouts.values()))
    place = f"{first.spec.provider}, template {name}"
    if seen is None:
        hint = f"check the uid in the manifest ({first.origin.file}), or declare the template"
        yield Check("templates", place, Health.ERROR, "the provider holds no such template", hint)
        return
    sound = True
    for layout, asset in use.layouts.items():
        if layout not in seen.layouts:
            sound = False
            hint = f"it has {', '.join(seen.layouts)}; see {asset.origin.file}"
            yield Check(
                "templates", place, Health.ERROR, f"it has no layout {layout}, which {asset.key} asks for", hint
            )
    wanted = (asset for asset in desired if (asset.spec.provider, asset.spec.template) == (first.spec.provider, name))
    for check in misfits(place, wanted, seen.variables):
        sound = sound and check.health is not Health.ERROR
        yield check
    if sound:
        yield Check("templates", place, Health.OK, f"it is there, and fits what is sent (pictures: {use.pictures:,})")


def misfits(place: str, assets: Iterable[Asset], rules: tuple[VariableRule, ...]) -> Iterator[Check]:
    """What is sent against the rules: each way of not fitting once, with how often and the first asset."""
    counts: Counter[Mismatch] = Counter()
    first: dict[Mismatch, Asset] = {}
    known = {rule.name: rule for rule in rules}
    before = ""
    found: tuple[Mismatch, ...] = ()
    for asset in assets:
        if asset.variables != before:  # the layouts of an item follow each other
            before, found = asset.variables, tuple(_mismatches(json.loads(asset.variables), known))
        for one in found:
            counts[one] += 1
            first.setdefault(one, asset)
    for one, number in counts.items():
        asset = first[one]
        where = f"{asset.origin.file}:{asset.origin.line}" if asset.origin.line else asset.origin.file
        message = f"{one.message} (pictures: {number:,}; the first is {asset.key}, {where})"
        yield Check("templates", place, one.health, message, one.hint)


def _mismatches(values: Mapping[str, object], rules: Mapping[str, VariableRule]) -> Iterator[Mismatch]:
    for name, rule in rules.items():
        value = values.get(name)
        if value in (None, ""):
            if rule.required and not rule.default:
                hint = "set it in 'variables', or leave the row out with 'where'"
                yield Mismatch(Health.ERROR, f"it requires '{name}', which is empty or not sent", hint)
        elif rule.max_length and isinstance(value, str) and len(value) > rule.max_length:
            hint = f"use | truncate({rule.max_length})"
            yield Mismatch(Health.ERROR, f"'{name}' is longer than its {rule.max_length} characters", hint)
    for name in values:
        if name not in rules:
            yield Mismatch(Health.WARNING, f"it declares no '{name}', which is sent", f"known are {_names(rules)}")


def _names(rules: Mapping[str, VariableRule]) -> str:
    return ", ".join(sorted(rules)[:20]) or "none"
