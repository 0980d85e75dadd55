"""The command line: JSON on standard output, errors on standard error.

Exit status 0 when done, 1 when refused, 2 when misused.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from monitoring import assess, care, cases, course, demo, notify, protocol, serve, store, worker
from monitoring import health as health_room
from monitoring.domain import Assessment, Check, Flap, MonitoringError
from monitoring.settings import Settings, read_settings
from monitoring.signs import BadValue

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
    help="Bedside monitoring of free flaps. Silence is not reassurance.",
)  # fmt: skip
protocols_app = typer.Typer(no_args_is_help=True, help="Protocols: check them, read them.")
app.add_typer(protocols_app, name="protocols")


def _say(value: Any) -> None:
    typer.echo(json.dumps(value, default=str, ensure_ascii=False))


def _record(settings: Settings) -> store.Record:
    opened = store.open_record(settings.record_url)
    store.require_current(opened)
    return opened


@app.command()
def migrate() -> None:
    """Bring the record to this version, making it if it is new."""
    _say({"revision": store.migrate(read_settings().record_url)})


@app.command(name="serve")
def serve_both() -> None:
    """Run dashboard and worker together on this machine; Ctrl-C ends both."""
    raise typer.Exit(serve.serve(read_settings()))


@app.command(name="worker")
def watch(
    once: Annotated[
        bool, typer.Option("--once", help="One tick and one delivery, then end.")
    ] = False,
) -> None:
    """Run the watcher alone: due, overdue and missed checks, and the messages about alerts."""
    settings = read_settings()
    record = _record(settings)
    protocols = protocol.load()
    if once:
        done = worker.tick(record, protocols, now=datetime.now(UTC))
        outbox = worker.deliverer(record, settings, worker.whoami(), bundle_seconds=0)
        outbox.announce()
        sent, failed = outbox.deliver_all()
        said = {"raised": done.raised, "set_aside": done.set_aside, "behind": done.behind}
        _say(said | {"unsent": done.unsent, "sent": sent, "not_sent": failed})
        raise typer.Exit(1 if done.set_aside or failed else 0)
    worker.run(record, protocols, settings)


@app.command(name="channels")
def show_channels() -> None:
    """The ways to reach people: names, kinds and what is wrong with them, never an address."""
    found = notify.channels(read_settings()).values()
    _say({c.name: {"kind": c.kind, "problem": c.problem} for c in found})
    raise typer.Exit(1 if any(c.problem for c in found) else 0)


@app.command(name="assess")
def assess_course(
    file: Annotated[Path, typer.Argument(metavar="COURSE.json")],
    protocol_id: Annotated[str | None, typer.Option("--protocol", metavar="ID")] = None,
) -> None:
    """Judge a course without touching the record: a JSON line a check."""
    stay = course.read(file)
    protocols = protocol.load()
    chosen = (
        protocol.propose(protocols, stay.facts)
        if protocol_id is None
        else protocol.find(protocols, protocol_id)
    )
    flap = Flap(stay.flap_id, stay.facts, chosen.key, holds=stay.holds, returns=stay.returns)
    for check, judged in assess.judge_stay(flap, stay.checks, chosen):
        _say(_line(check, judged))


def _line(check: Check, judged: Assessment) -> dict[str, Any]:
    return {
        "observed_at": check.observed_at.isoformat(),
        "severity": judged.severity,
        "pattern": judged.pattern,
        "findings": [
            {
                "rule": f.rule,
                "severity": f.severity,
                "pattern": f.pattern,
                "because": f.because,
                "citations": list(f.citations),
            }
            for f in judged.findings
        ],
        "unanswered": [{"rule": u.rule, "lacked": list(u.lacked)} for u in judged.unanswered],
    }


@app.command(name="import")
def import_course(
    file: Annotated[Path, typer.Argument(metavar="COURSE.json")],
    confirm: Annotated[bool, typer.Option(help="Unusual values in the file are right.")] = False,
) -> None:
    """Bring a course into the record, through the same verb as the bedside form."""
    settings = read_settings()
    done = care.import_course(
        _record(settings), protocol.load(), course.read(file), ward=settings.wards[0],
        now=datetime.now(UTC), confirmed=care.ALL if confirm else frozenset(),
    )  # fmt: skip
    _say({"flap": done.flap_id, "checks_new": done.new, "checks_known": done.known})


@app.command()
def record(
    flap: Annotated[str, typer.Option("--flap", metavar="ID")],
    by: Annotated[str, typer.Option("--by", metavar="USER")],
    confirm: Annotated[
        list[str] | None, typer.Option(help="A sign whose unusual value is right.")
    ] = None,
) -> None:
    """Record one check from standard input, as the form would."""
    now = datetime.now(UTC)
    body = {"observed_at": now.isoformat()} | _one_object()
    key = care.content_key(flap, by, body) if body.get("key") is None else None
    check = Check.parse(body, flap_id=flap, by=by, recorded_at=now, key=key)
    saved = care.record_check(
        _record(read_settings()), protocol.load(), check, now=now,
        confirmed=frozenset(confirm or ()),
    )  # fmt: skip
    _say(
        _line(saved.check, saved.assessment)
        | {"key": str(saved.check.key), "repeated": saved.repeated}
    )


def _one_object() -> dict[str, Any]:
    """The JSON object on standard input. Raises BadValue."""
    try:
        body = json.load(sys.stdin)
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise BadValue("check", f"Standard input is not JSON: {error}") from None
    if not isinstance(body, dict):
        raise BadValue("check", "A check is a JSON object.")
    return body


@protocols_app.command(name="check")
def protocols_check(
    folder: Annotated[Path, typer.Option(help="Where the protocol files are.")] = protocol.FOLDER,
) -> None:
    """Lint every protocol and run every case."""
    problems = cases.check_protocols(folder)
    _say({"problems": problems})
    raise typer.Exit(1 if problems else 0)


@protocols_app.command(name="show")
def protocols_show(protocol_id: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """Print a protocol in words."""
    typer.echo(protocol.describe(protocol.find(protocol.load(), protocol_id)))


@app.command(name="demo")
def load_demo() -> None:
    """Fill an empty record with a ward worth looking at."""
    settings = read_settings()
    flaps = demo.load(
        _record(settings), protocol.load(), ward=settings.wards[0], now=datetime.now(UTC),
        zone=settings.zone,
    )  # fmt: skip
    _say({"flaps": flaps})


@app.command(name="health")
def show_health() -> None:
    """Whether the record and the watcher can be relied on now."""
    settings = read_settings()
    found = health_room.health(store.open_record(settings.record_url), datetime.now(UTC), settings)
    _say(found.report())
    raise typer.Exit(0 if found.ok else 1)


def main() -> None:
    """Run a command; an expected error is one sentence and exit status 1."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("monitoring").setLevel(logging.INFO)
    try:
        app()
    except MonitoringError as error:
        typer.echo(str(error), err=True)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
