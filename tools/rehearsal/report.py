"""The report of a rehearsal, as a page of Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from tools.rehearsal.plays import Result

HEAD = """# A rehearsal of production

Written by `python -m tools.rehearsal --report docs/rehearsal.md`, which brings everything up on
loopback addresses of one machine by the commands of the README's "In production", walks through the
whole story over HTTPS, breaks one thing after the other while a member looks around (every fifth of
a second), an owner changes something and somebody changes the subscription at Stripe, and tears it
all down.

{versions}.

## The way up

```
{steps}
```

## The walkthrough

```
{walked}
```

## The plays

Each begins with three quiet seconds. *no answer*: the connection was refused or broken off.
*saved*: the owner was told that the change is made.
"""


def report(
    steps: Sequence[str], walked: Sequence[str], results: Sequence[Result], versions: str
) -> str:
    parts = [HEAD.format(versions=versions, steps="\n".join(steps), walked="\n".join(walked))]
    for result in results:
        lost = "; ".join(result.problems) or "nothing"
        parts.append(
            "\n".join(
                [
                    f"### {result.name}\n",
                    *(f"- {note.removesuffix('.')}." for note in result.notes),
                    f"- The member saw: {result.member.told()}.",
                    f"- The owner saw: {result.owner.told()}.",
                    f"- Lost, or not come back: **{lost}**.\n",
                ]
            )
        )
    return "\n".join(parts)
