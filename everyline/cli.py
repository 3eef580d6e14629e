"""The command line: ``everyline``."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from everyline.ground import logs
from everyline.ground.postgres import EmbeddedPostgres, PostgresError
from everyline.ground.settings import SettingsError, settings, use

if TYPE_CHECKING:
    from everyline.ground.installation import Ground
    from everyline.ground.supervisor import Supervisor

app = typer.Typer(
    help="Everyline: every line into an organisation, one queue, one customer record.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
admin_app = typer.Typer(help="Admins.", no_args_is_help=True)
line_app = typer.Typer(help="Lines: our public addresses.", no_args_is_help=True)
token_app = typer.Typer(help="Tokens for programs.", no_args_is_help=True)
articles_app = typer.Typer(help="Articles: the organisation's answers.", no_args_is_help=True)
app.add_typer(admin_app, name="admin")
app.add_typer(line_app, name="line")
app.add_typer(token_app, name="token")
app.add_typer(articles_app, name="articles")

T = TypeVar("T")

Data = Annotated[Path | None, typer.Option("--data", help="The data folder. Default: EVERYLINE_DATA, or ./data.")]


class Fault(Exception):
    """Something is wrong that the person at the command line can put right."""


def main() -> None:
    """Run a command. Faults are one line on standard error and exit code 1, or 2 for wrong settings."""
    from everyline.ground.errors import ProductError

    try:
        app()
    except SettingsError as error:
        _fail(str(error), 2)
    except ProductError as error:
        fields = getattr(error, "fields", {})
        _fail("\n".join([error.message, *(f"  {name}: {text}" for name, text in fields.items() if name)]), 1)
    except (Fault, PostgresError) as error:
        _fail(str(error), 1)


def _fail(message: str, code: int) -> None:
    typer.echo(message, err=True)
    sys.exit(code)


@app.command()
def serve(
    data: Data = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    only: Annotated[
        str | None, typer.Option(help="Run one role alone: web, worker or media. The database must run already.")
    ] = None,
) -> None:
    """Run the product until SIGTERM or Ctrl-C."""
    use(data=data, host=host, port=port)
    sys.exit(_supervisor(only).run())


@app.command()
def demo(
    data: Data = None,
    port: Annotated[int | None, typer.Option(help="Port of the pages.")] = None,
) -> None:
    """Run the product with the sample company on this machine."""
    from everyline.sample import ports as sample

    use(data=data, port=port, host="127.0.0.1")
    folder = settings().data
    before = sample.known(folder)
    ports = sample.choose_ports(before)
    use(
        email_smtp_listen=f"{ports['smtp']['host']}:{ports['smtp']['port']}",
        phone_host=ports["sip"]["host"],
        phone_port=ports["sip"]["port"],
    )
    supervisor = _supervisor()
    supervisor.roles = {"post_office": 1, **({"network": 1} if sample.has_telephones() else {}), **supervisor.roles}

    def prepare(url: Callable[[], str]) -> None:
        from everyline.sample import demo

        typer.echo(demo.words(demo.prepare(settings(), url, ports, before)))

    supervisor.prepare = prepare
    sys.exit(supervisor.run())


def _supervisor(only: str | None = None) -> Supervisor:
    from everyline.ground.supervisor import Supervisor

    chosen = settings()
    logs.begin("everyline", form=chosen.log_format, level=chosen.log_level)
    chosen.data.mkdir(parents=True, exist_ok=True)
    # web has most to load: the others begin meanwhile
    roles = {"worker": chosen.worker_processes, "media": chosen.media_processes, "web": chosen.web_processes}
    if only is not None:
        if only not in roles:
            raise Fault(f"there is no role {only!r}; choose one of: {', '.join(roles)}")
        roles = {only: roles[only]}
        if not chosen.database_url:
            use(database_url=EmbeddedPostgres(chosen.data / "postgres").url)
    embedded = None if settings().database_url else EmbeddedPostgres(chosen.data / "postgres")
    return Supervisor(settings(), roles, embedded, check=_check_settings)


def _check_settings() -> None:
    from everyline.channel_registry import check_settings

    check_settings()


def _with_ground(data: Path | None, work: Callable[[Ground], Awaitable[T]]) -> T:
    """Do something with the product's ground, its schema up to date."""
    from everyline.ground import schema
    from everyline.ground.installation import standing

    with _database(data) as url:
        schema.bring_up_to_date(url)

        async def run() -> T:
            async with standing(settings(), url) as ground:
                return await work(ground)

        return asyncio.run(run())


@contextlib.contextmanager
def _database(data: Path | None) -> Iterator[str]:
    """The address of the database: the one that runs, or the embedded one started for as long as it takes."""
    use(data=data)
    chosen = settings()
    if chosen.database_url:
        yield chosen.database_url
        return
    embedded = EmbeddedPostgres(chosen.data / "postgres")
    if embedded.pid is not None:
        yield embedded.url
        return
    chosen.data.mkdir(parents=True, exist_ok=True)
    embedded.start()
    try:
        yield embedded.url
    finally:
        embedded.stop()


@admin_app.command("add")
def admin_add(
    email: str,
    name: Annotated[str | None, typer.Option(help="The admin's name. Default: the part before @.")] = None,
    data: Data = None,
) -> None:
    """Add an admin. The password is read from standard input."""
    from everyline.people import actions

    password = _password()

    async def work(ground: Ground) -> None:
        async with ground.database.transaction() as tx:
            await actions.add_agent(
                tx, None, email=email, name=name or email.partition("@")[0], role="admin", password=password
            )

    _with_ground(data, work)
    typer.echo(f"{email} can sign in now.")


def _password() -> str:
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    password = sys.stdin.readline().rstrip("\n")
    if not password:
        raise Fault(
            "give the password on standard input, for example: everyline admin add me@example.org < password.txt"
        )
    return password


@line_app.command("add")
def line_add(
    channel: Annotated[str, typer.Argument(help="The channel's name, such as email.")],
    address: Annotated[str, typer.Argument(help="The line's public address.")],
    name: Annotated[str, typer.Option(help="What customers see it called.")] = "",
    queue: Annotated[str, typer.Option(help="The queue's name. Default: the first one.")] = "",
    language: Annotated[str, typer.Option(help="The line's language.")] = "en",
    setting: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="A setting of the channel; may be given again."),
    ] = None,
    data: Data = None,
) -> None:
    """Add a line."""
    from sqlalchemy import select

    from everyline.lines import actions
    from everyline.queues.models import Queue

    given: dict[str, str] = {}
    for pair in setting or []:
        key, equals, value = pair.partition("=")
        if not equals:
            raise Fault(f"--set takes KEY=VALUE, and {pair!r} has no =")
        given[key] = value

    async def work(ground: Ground) -> int:
        async with ground.database.transaction() as tx:
            queue_id = None
            if queue:
                queue_id = await tx.value(select(Queue.id).where(Queue.name == queue))
                if queue_id is None:
                    raise Fault(f"there is no queue named {queue!r}")
            return await actions.add(
                tx,
                ground.vault,
                None,
                channel_name=channel,
                address=address,
                name=name,
                language=language,
                queue_id=queue_id,
                settings=given,
            )

    line_id = _with_ground(data, work)
    typer.echo(f"Line {line_id} is open.")


@token_app.command("add")
def token_add(
    name: Annotated[str, typer.Argument(help="What the token is for.")],
    agent: Annotated[str, typer.Option("--as", help="The email address of the agent that it acts as.")],
    scope: Annotated[
        list[str] | None, typer.Option(help="A permission; may be given again. Default: all of the agent's role.")
    ] = None,
    data: Data = None,
) -> None:
    """Make a token for a program, and print it. It is shown only now."""
    from sqlalchemy import func, select

    from everyline.people import actions
    from everyline.people.models import Agent

    async def work(ground: Ground) -> str:
        async with ground.database.transaction() as tx:
            agent_id = await tx.value(select(Agent.id).where(func.lower(Agent.email) == agent.lower(), Agent.active))
            if agent_id is None:
                raise Fault(f"there is no active agent with the address {agent}")
            return (await actions.add_token(tx, None, agent_id, name, scope))[1]

    typer.echo(_with_ground(data, work))


@articles_app.command("import")
def articles_import(
    source: Annotated[
        Path, typer.Argument(help="A folder of Markdown or HTML files, or one file: .md, .html or .csv.")
    ],
    language: Annotated[str, typer.Option(help="Their language. Default: what each is written in.")] = "",
    publish: Annotated[bool, typer.Option("--publish", help="Show them to readers at once.")] = False,  # noqa: FBT002 -- an option
    data: Data = None,
) -> None:
    """Take articles in. The same import again changes what has changed, and doubles nothing."""
    from everyline.articles import imports, meanings

    if not source.exists():
        raise Fault(f"there is no {source}")
    pieces = imports.from_folder(source) if source.is_dir() else imports.from_file(source)

    async def work(ground: Ground) -> imports.Done:
        async with ground.database.transaction() as tx:
            done = await imports.take_in(tx, None, pieces, language=language, publish=publish)
            await imports.count_words(tx)
        await meanings.catch_up(ground.database)
        return done

    found = _with_ground(data, work)
    for fault in found.refused:
        typer.echo(f"left out: {fault}", err=True)
    typer.echo(f"{found.added} articles are new, {found.changed} have changed, {found.same} are as they were.")


@app.command()
def backup(file: Annotated[Path, typer.Argument(help="The archive to write.")], data: Data = None) -> None:
    """Write database, files and secret key into one archive. The product may run meanwhile."""
    from everyline.ground import backup as work

    with _database(data) as url:
        try:
            size = work.backup(settings(), url, file)
        except work.BackupError as error:
            raise Fault(str(error)) from error
    typer.echo(f"{file} holds everything, {size / 1024**2:.1f} MiB. It holds the secret key too: keep it safe.")


@app.command()
def restore(file: Annotated[Path, typer.Argument(help="The archive to read.", exists=True)], data: Data = None) -> None:
    """Bring everything back from an archive into an empty installation."""
    from everyline.ground import backup as work

    with _database(data) as url:
        try:
            work.restore(settings(), url, file)
        except work.BackupError as error:
            raise Fault(str(error)) from error
    typer.echo("Everything is back. Start the product with `everyline serve`.")


@app.command()
def doctor(data: Data = None) -> None:
    """Look at settings, database, disk and lines, and say what to do."""
    from everyline.roles.doctor import examine

    _check_settings()

    async def work(ground: Ground) -> bool:
        well = True
        async for finding in examine(ground):
            typer.echo(f"{'ok ' if finding.well else '!! '} {finding.what}")
            if not finding.well:
                typer.echo(f"     {finding.advice}")
                well = False
        return well

    if not _with_ground(data, work):
        sys.exit(1)


@app.command()
def edge(
    folder: Annotated[Path, typer.Argument(help="Where its configuration is written, such as /etc/kamailio.")],
    domain: Annotated[str, typer.Option(help="What stands behind the @ of agents' telephones: phones.example.org.")],
    node: Annotated[
        list[str], typer.Option(help="A machine of ours that takes calls: 192.0.2.7:5060. May be repeated.")
    ],
    host: Annotated[str, typer.Option(help="Address that the edge listens on.")] = "0.0.0.0",  # noqa: S104 -- it is there to be reached
    port: Annotated[int, typer.Option(help="Its port for UDP and TCP.")] = 5060,
    secure_port: Annotated[int, typer.Option(help="Its port for TLS.")] = 5061,
    certificate: Annotated[str, typer.Option(help="Its certificate, for TLS.")] = "",
    key: Annotated[str, typer.Option(help="The key of the certificate.")] = "",
    secure: Annotated[
        list[str] | None,
        typer.Option(
            help="A trunk that takes TLS: its host, and if need be its port and a file of the authorities that prove it, "
            "as sip.provider.example:5061=/etc/ssl/provider.pem. May be repeated."
        ),
    ] = None,
    authorities: Annotated[
        str, typer.Option(help="The certificates of the authorities whose word is taken for a trunk.")
    ] = "/etc/ssl/certs/ca-certificates.crt",
    data: Data = None,
) -> None:
    """Write the configuration of a Kamailio before the telephone: TLS, telephones of agents, several machines. Prints the telephones' passwords."""
    from everyline.queues import queries
    from everyline.sip import edge as work

    async def read(ground: Ground) -> dict[str, str]:
        async with ground.database.transaction() as tx:
            users = await queries.telephones(tx, domain)
        return {user: work.password(ground.key, user) for user in users}

    phones = _with_ground(data, read)
    try:
        made = work.Edge(
            domain,
            node,
            host,
            port,
            secure_port,
            certificate,
            key,
            phones,
            secure or (),
            authorities,
            str(folder.resolve()),
        )
        made_files = work.files(made)
    except ValueError as error:
        raise Fault(str(error)) from error
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in made_files.items():
        path = folder / name
        path.touch(mode=0o640)  # it holds what telephones prove themselves by
        path.write_text(content, "utf-8")
    for user, word in phones.items():
        typer.echo(f"{user}@{domain} {word}")


@app.command("rebuild-figures")
def rebuild_figures(data: Data = None) -> None:
    """Make all figures anew from the events. Figures are not whole until it is done; everything else runs on."""
    from everyline.measure import ledgers

    async def work(ground: Ground) -> int:
        return await ledgers.rebuild(ground.database)

    typer.echo(f"The figures are made anew of {_with_ground(data, work)} events.")


@app.command()
def simulate(
    day: Annotated[str | None, typer.Option(help="A day of this installation, as 2026-11-20.")] = None,
    made: Annotated[
        str | None, typer.Option(help='A day that never was: "per_hour=120,minutes=3,agents=8,patience=2".')
    ] = None,
    change: Annotated[
        list[str] | None, typer.Option("--set", help='A rule to try: "Water.strategy=most skilled". May be repeated.')
    ] = None,
    agents: Annotated[list[str] | None, typer.Option(help='Agents more or fewer: "Water=+2". May be repeated.')] = None,
    zone: Annotated[str, typer.Option(help="Whose midnight begins the day.")] = "UTC",
    goal: Annotated[float, typer.Option(help="Seconds of the service level of a made day.")] = 20,
    seed: Annotated[int, typer.Option(help="The same seed gives the same made day.")] = 1,
    data: Data = None,
) -> None:
    """Play a day through the rules of the queues, as they are and with a change, and print what comes of it."""
    from datetime import date

    from everyline import simulate as work
    from everyline.queues import queries
    from everyline.queues.simulation import Day

    if (day is None) == (made is None):
        raise Fault("say which day: --day 2026-11-20, or --made per_hour=120,agents=8")

    async def read(ground: Ground) -> tuple[Day, dict[int, str], dict[str, int]]:
        async with ground.database.transaction() as tx:
            skills = {row.name: row.id for row in await queries.all_skills(tx)}
            return *await work.recorded(tx, date.fromisoformat(day or ""), zone), skills

    try:
        if made is not None:
            found, names = work.Made.read(made).day(seed, goal)
            skills: dict[str, int] = {}
        else:
            found, names, skills = _with_ground(data, read)
        tried = work.changed(found, names, change or (), agents or (), skills) if change or agents else None
    except (ValueError, KeyError) as error:
        raise Fault(str(error)) from error
    for line in work.compare(found, tried, names):
        typer.echo(line)


if __name__ == "__main__":
    main()
