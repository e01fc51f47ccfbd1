"""`manage.py demo`: run the shop on this machine, with a local XCover."""

from __future__ import annotations

import threading
from argparse import ArgumentParser
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from example_shop.card import GOOD_CARD
from example_shop.data_dir import DATA_DIR, FolderUnusable, require_writable
from example_shop.demo import data
from example_shop.demo.plans import PARTNER_CODE, PortTaken, claim_port, declare_queues, plans, url
from example_shop.demo.processes import Family, ProcessFailed, stop_on_signals
from example_shop.running import AlreadyRunning, Running, announce, only_demo

WELCOME = """
Encore & Co. is open.

  Shop     {shop}
           log in as {shopper}, or order as a guest
  Admin    {shop}admin/
           log in as {staff}
  XCover   {sandbox}
           the local stand-in; no account and no internet needed

Try this: put tickets into the cart, go to the checkout, answer the offer, place the order and pay
with card {card}. The policy arrives on the order page within seconds, and the
admin shows it under XCover insurance.

Data: {data}   Logs: {logs}   E-mails: {mail}
Stop it with Ctrl-C. It starts again where it was.
"""


class Command(BaseCommand):
    """Run the shop, a Celery worker with beat, and a local XCover until Ctrl-C."""

    help = "Runs the example shop with everything it needs. No server and no account needed."
    # Django's cache check creates the folder; `handle` first checks that it's writable.
    requires_system_checks: list[str] = []  # noqa: RUF012 - Django's own declaration

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the ports."""
        parser.add_argument("--port", type=int, default=8000, help="the shop's; 0 takes a free one")
        parser.add_argument("--sandbox-port", type=int, default=8700, help="the local XCover's")
        parser.add_argument(
            "--latency",
            default="recorded",
            help="how long the local XCover's answers take: as recorded, none, or seconds",
        )
        parser.add_argument(
            "--dual-payment",
            action="store_true",
            help="let XCover charge the premium itself, on a card that the shop never sees",
        )
        parser.add_argument(
            "--elements",
            action="store_true",
            help="show a stand-in for XCover Elements at the checkout",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Lock the folder, and run the demo on it."""
        try:
            with only_demo():
                require_writable()
                self.check()
                self._run(options)
        except (AlreadyRunning, FolderUnusable) as problem:
            raise CommandError(str(problem)) from problem

    def _run(self, options: dict[str, Any]) -> None:
        """Prepare the data, start everything, print the addresses, and wait."""
        shop, sandbox = self._ports(options)
        announce(Running(shop=url(shop).rstrip("/"), sandbox=url(sandbox).rstrip("/")))
        stop = threading.Event()
        stop_on_signals(stop)
        self._prepare(options["verbosity"])
        try:
            with Family(DATA_DIR / "logs", stop) as family:
                self._say("Starting the sandbox, the worker and the shop …")
                family.start(
                    plans(
                        shop_port=shop,
                        sandbox_port=sandbox,
                        latency=options["latency"],
                        environment=_variant(options, sandbox),
                    )
                )
                if not stop.is_set():
                    self._welcome(shop, sandbox)
                family.watch()
        except ProcessFailed as failure:
            raise CommandError(str(failure)) from failure
        self._say("Closed. Nothing is left running.")

    def _ports(self, options: dict[str, Any]) -> tuple[int, int]:
        shop, sandbox = options["port"], options["sandbox_port"]
        if shop == sandbox != 0:
            raise CommandError(f"The shop and the sandbox need a port each, and both got {shop}.")
        try:
            return claim_port(shop), claim_port(sandbox)
        except PortTaken as error:
            hint = "Choose others: manage.py demo --port 8080 --sandbox-port 8701"
            raise CommandError(f"{error} {hint}") from error

    def _prepare(self, verbosity: int) -> None:
        for name in ("broker", "broker-control"):
            (DATA_DIR / name).mkdir(exist_ok=True)
        declare_queues()
        self._say("Preparing the database …")
        call_command("migrate", interactive=False, verbosity=max(0, verbosity - 1))
        data.fill()

    def _welcome(self, shop: int, sandbox: int) -> None:
        logins = {
            "shopper": f"{data.SHOPPER.username} / {data.SHOPPER.password}",
            "staff": f"{data.STAFF.username} / {data.STAFF.password}",
        }
        places = {"shop": url(shop), "sandbox": url(sandbox), "card": GOOD_CARD}
        folders = {"data": DATA_DIR, "logs": DATA_DIR / "logs", "mail": DATA_DIR / "mail"}
        self._say(WELCOME.format(**logins, **places, **folders))

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


def _variant(options: dict[str, Any], sandbox: int) -> dict[str, str]:
    """Return the variables with which the shop sells cover in another way than by default."""
    variables = {"SHOP_XPAY_FORM": f"{url(sandbox)}xpay/form"}
    if options["dual_payment"]:
        variables["SHOP_DUAL_PAYMENT"] = "1"
    if options["elements"]:
        script = f"{url(sandbox)}xce/elements.js?partner={PARTNER_CODE}"
        variables["XCOVER_ELEMENTS_SCRIPT"] = script
    return variables
