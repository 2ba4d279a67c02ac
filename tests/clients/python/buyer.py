"""A user of a published MCP client who calls a tool that costs something, and pays or declines. See ../README.md.

usage: buyer.py CLIENT ERA SHOWS BEHAVIOURS TOOL TEXT http URL
       buyer.py CLIENT ERA SHOWS BEHAVIOURS TOOL TEXT stdio COMMAND [ARGUMENT...]

CLIENT is mcp or fastmcp, ERA legacy or modern. SHOWS is what the client shows its user, separated by commas: links,
forms, progress, lists; or nothing. BEHAVIOURS is what the user does, one call each: pay, decline. The tool takes TEXT,
followed by the behaviour, as its argument `text`. Prints one line of JSON.
"""

import json
import re
import sys
import urllib.parse
import urllib.request
from typing import Any

import anyio
import anyio.to_thread
import sides

LINK = re.compile(r"https?://\S+/pay/[A-Za-z0-9_]+")
CALL_NEXT = re.compile(r"call (\S+) with (\{.*?\})")
CALL_AGAIN = re.compile(r'call (\S+) again with the same arguments and (\S+) set to "([^"]+)"')
# A user who consents to open a link pays a moment later.
HESITATION_S = 0.3
# A list change follows its cause.
CHANGE_S = 5
# Being asked more often than this is a fault.
CALLS_MAX = 6

Call = tuple[str, dict[str, Any]]


class Buyer:
    """One user at one client."""

    def __init__(self, side: sides.Side, shows: set[str], group: anyio.abc.TaskGroup) -> None:
        self.side = side
        self.shows = shows
        self.group = group
        side.on_form = self.on_form
        side.on_link = self.on_link
        side.on_progress = self.on_progress

    async def buy(self, tool: str, text: str, behaviour: str) -> dict[str, Any]:
        """Calls the tool and does what the answers say, until there is nothing left to do."""
        self.behaviour = behaviour
        self.ways: list[str] = []
        self.links: list[str] = []
        self.acted = False
        if "lists" in self.shows:
            await self.side.tools()
        first = tool, {"text": text}
        calls = [first]
        answer = await self.side.call(*first)
        while (following := await self.follow(first, answer)) is not None:
            if len(calls) == CALLS_MAX:
                raise RuntimeError(f"still asked after {CALLS_MAX} calls: {answer}")
            calls.append(following)
            answer = await self.side.call(*following)
            if behaviour == "decline":
                break
        seen = {"behaviour": behaviour, "ways": self.ways, "links": self.links, "text": answer.text, "error": answer.error}
        if calls[-1] is not first and behaviour == "pay":
            # Whoever redeems it again is given the same.
            seen["again"] = (await self.side.call(*calls[-1])).text
        if "lists" in self.shows:
            seen["tools"] = await self.side.tools()
        return seen

    async def follow(self, first: Call, answer: sides.Answer) -> Call | None:
        """What to call next, if the answer asks for a payment."""
        if answer.url_required is not None:
            self.asked("error", answer.url_required)
            await self.act()
            return first if self.behaviour == "pay" else None
        if answer.payment is None:
            return None
        self.in_text(answer)
        if not self.ways:
            self.asked(await self.way_of_list(first[0]) or "text", answer.payment["payment_url"])
        await self.act()
        return self.next_step(answer.payment["next_step"], first[1])

    def next_step(self, step: str, arguments: dict[str, Any]) -> Call:
        if again := CALL_AGAIN.search(step):
            return again[1], {**arguments, again[2]: again[3]}
        if call := CALL_NEXT.search(step):
            return call[1], json.loads(call[2])
        raise RuntimeError(f"no next step in {step!r}")

    def in_text(self, answer: sides.Answer) -> None:
        """Models see nothing but the text."""
        for key in ("payment_url", "payment_id", "amount", "next_step"):
            if answer.payment[key] not in answer.text:
                raise RuntimeError(f"the text lacks the {key}: {answer.text}")

    async def way_of_list(self, tool: str) -> str | None:
        """`list`, when the list now has the tool's confirmation in its place."""
        if "lists" not in self.shows or not await self.side.changed(CHANGE_S):
            return None
        tools = await self.side.tools()
        return "list" if tool not in tools and f"confirm_{tool}" in tools else None

    def asked(self, way: str, link: str) -> None:
        self.ways.append(way)
        if link not in self.links:
            self.links.append(link)

    async def on_form(self, message: str) -> bool:
        self.asked("form", link_in(message))
        if self.behaviour == "decline":
            return False
        await self.act()
        return True

    async def on_link(self, link: str) -> bool:
        self.asked("link", link)
        if self.behaviour == "decline":
            return False
        self.group.start_soon(self.act, HESITATION_S)
        return True

    async def on_progress(self, message: str) -> None:
        if (found := LINK.search(message)) is None or "progress" in self.ways:
            return
        self.asked("progress", found[0])
        self.group.start_soon(self.act)

    async def act(self, after_s: float = 0) -> None:
        """Opens the link and presses the button, once."""
        if not self.acted:
            self.acted = True
            await anyio.sleep(after_s)
            button = "pay" if self.behaviour == "pay" else "decline"
            await anyio.to_thread.run_sync(press, self.links[-1], button)


def link_in(message: str) -> str:
    if (found := LINK.search(message)) is None:
        raise RuntimeError(f"no link in {message!r}")
    return found[0]


def press(link: str, button: str) -> None:
    """Submits the page's form, as a browser does."""
    with urllib.request.urlopen(link) as page:
        actions = re.findall(r'<form[^>]*action="([^"]+)"', page.read().decode())
    action = next((a for a in actions if a.endswith(button)), None)
    if action is None:
        raise RuntimeError(f"no button to {button} on {link}")
    origin = "{0.scheme}://{0.netloc}".format(urllib.parse.urlsplit(link))
    request = urllib.request.Request(urllib.parse.urljoin(link, action), data=b"", headers={"Origin": origin})
    urllib.request.urlopen(request).close()


async def main() -> None:
    client, era, shows, behaviours, tool, text, transport, *target = sys.argv[1:]
    side = sides.SIDES[client](era, set(shows.split(",")), transport, target)
    async with side.connected(), anyio.create_task_group() as group:
        buyer = Buyer(side, set(shows.split(",")), group)
        visits = [await buyer.buy(tool, f"{text} {behaviour}", behaviour) for behaviour in behaviours.split(",")]
        print(json.dumps({"client": side.version, "protocol": side.protocol, "visits": visits}), flush=True)
        group.cancel_scope.cancel()


if __name__ == "__main__":
    anyio.run(main)
