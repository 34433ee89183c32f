"""What an edge node says next: births, then records in seq and what else has changed, by exception. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from agent.model import Line, LineNow, Record
from gateway.sparkplug import face
from gateway.sparkplug.face import NODE
from gateway.sparkplug.metric import Metric
from gateway.sparkplug.session import Outgoing, Session

# Records tell these; as it stands the line has no say in them.
OF_RECORDS = (face.SEQ, face.RECORD)


class Teller:
    """Speaks for a line in one session. `at` is the seq of the last record told; wall times in ns."""

    def __init__(self, line: Line, session: Session, at: int) -> None:
        self._line = line
        self._session = session
        self.at = at
        self._born_at = 0
        self._told: dict[tuple[str, str], Metric] = {}

    def births(self, now: LineNow, lost: Iterable[str], wall: int) -> list[Outgoing]:
        """The birth certificates of the node and of every machine that is not `lost`."""
        node = face.node(self._line, now, self.at)
        devices = face.devices(self._line, now, self.at, lost)
        self._born_at = now.seq
        self._told.clear()
        for device, metrics in {NODE: node, **devices}.items():
            self._remember(device, metrics)
        return self._session.births(node, devices, wall)

    def records(self, ledger: str, some: Sequence[Record], wall: int) -> list[Outgoing]:
        """Committed records in seq, those of one machine that follow each other in one message, unless time goes back.

        What is older than what was told of the same metric is historical: it must not replace it.
        """
        messages: list[tuple[str, list[Metric]]] = []
        for one in some:
            device, metrics = self._say(ledger, one)
            if messages and messages[-1][0] == device and messages[-1][1][-1].time <= one.time:
                messages[-1][1].extend(metrics)
            else:
                messages.append((device, metrics))
            self.at = one.seq
        return [self._session.data(device, metrics, wall) for device, metrics in messages]

    def changes(self, now: LineNow, lost: Iterable[str], wall: int) -> list[Outgoing]:
        """Machines that went or came back, and every metric that is not what was told last."""
        gone = frozenset(lost)
        metrics = {NODE: face.node(self._line, now, self.at)} | face.devices(self._line, now, self.at, gone)
        there = self._session.born | {NODE}
        if any(not self._session.knows(device, metrics[device]) for device in metrics.keys() & there):
            return self.births(now, gone, wall)
        out = [self._session.device_death(device, wall) for device in sorted(self._session.born & gone)]
        for device, every in metrics.items():
            if device in there:
                changed = [one for one in every if one.name not in OF_RECORDS and self._is_news(device, one)]
                out += [self._session.data(device, changed, wall)] if changed else []
            else:
                out.append(self._session.device_birth(device, every, wall))
                changed = every
            self._remember(device, changed)
        return out

    def _say(self, ledger: str, one: Record) -> tuple[str, list[Metric]]:
        device, metrics = face.told(ledger, one, self._session.born)
        told = [self._told.get((device, metric.name)) for metric in metrics]
        if one.seq <= self._born_at or any(before and before.time > one.time for before in told):
            return device, [replace(metric, historical=True) for metric in metrics]
        self._remember(device, metrics)
        return device, metrics

    def _remember(self, device: str, metrics: Iterable[Metric]) -> None:
        self._told |= {(device, one.name): one for one in metrics}

    def _is_news(self, device: str, one: Metric) -> bool:
        """Whether it says something else than what was told; time and coverage alone are nothing else."""
        told = self._told.get((device, one.name))
        return told is None or _said(told) != _said(one)


def _said(one: Metric) -> tuple[object, ...]:
    return one.value, one.quality, one.simulated
