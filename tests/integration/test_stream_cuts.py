"""Streams are cut at random while answers are written, in two tabs each, over restarts: every tab shows the stored answer,
and on the way nothing twice and nothing out of order. NOTSO_STREAM_CUTS cuts (120)."""
import os
import random
import time

from page_tabs import Place, Tab, running_answer

CUTS = int(os.environ.get("NOTSO_STREAM_CUTS", "120"))
STUB = ("--backend", "stub")
SYLLABLES = ("ka lo mi te ru san vel dor ti ñu zür øy 日本 語 🙂 é ça ße").split()


def paragraphs(rng):
    """Words without marks of Markdown, so that every prefix of them is shown as it is."""
    def word():
        return "".join(rng.choice(SYLLABLES) for _ in range(rng.randint(1, 4)))
    return "\n\n".join(" ".join(word() for _ in range(rng.randint(5, 40))) for _ in range(rng.randint(2, 6)))


def begin(place, rng):
    """A conversation whose answer is its question, and two tabs on it."""
    text = f"[echo] {paragraphs(rng)}"
    _, headers, _ = place.request("POST", "/chat", {"message": text})
    chat = headers["location"].split("?")[0]
    answer, _ = running_answer(place.request("GET", chat)[2])
    tabs = [Tab(place, chat, answer, rng.random(), cut_after=rng.choice((4_000, 20_000, 80_000))) for _ in range(2)]
    return chat, text, tabs


def test_cut_streams_show_the_stored_answer(start_server, tmp_path):
    rng = random.Random(f"cuts {CUTS}")
    data = tmp_path / "shared"
    server = start_server(*STUB, data_dir=data).wait_ready()
    place = Place(server.port)
    cuts = kills = rounds = 0
    while cuts < CUTS or rounds < 4:
        rounds += 1
        chats = [begin(place, rng) for _ in range(4)]
        if rounds % 2 == 0:
            time.sleep(rng.uniform(0.05, 0.6))
            server.process.kill()
            server.process.wait(10)
            server = start_server(*STUB, data_dir=data)
            place.port = server.port
            kills += 1
        for chat, text, tabs in chats:
            for tab in tabs:
                tab.thread.join(60)
                assert not tab.thread.is_alive(), (tab.position, tab.seen[-1:])
            stored = place.export(chat)["messages"][-1]
            assert stored["state"] == "complete" and stored["text"] == text
            for tab in tabs:
                tab.check(stored["text"])
                cuts += tab.cuts
    assert server.stop() == 0
    print(f"{cuts} cuts, {kills} restarts")
