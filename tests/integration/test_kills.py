"""The server is killed at random moments while clients write, also while answers run, and follow them: nothing
acknowledged is lost or doubled, and what was being written or waited goes on and ends. NOTSO_KILL_ROUNDS rounds (20)."""
import os
import random
import re
import sqlite3
import threading
import time

from page_tabs import Place, running_answer

ROUNDS = int(os.environ.get("NOTSO_KILL_ROUNDS", "20"))
CLIENTS = 8
STUB = ("--backend", "stub")
MESSAGE = re.compile(r"\[long (\d+)\] (\d+\.\d+)")


class Client:
    """Writes a message, follows its answer to the end, writes the next; sends again what was not acknowledged."""

    def __init__(self, place, number):
        self.place, self.number = place, number
        self.random = random.Random(f"client {number}")
        self.sent = {}   # text → client_id, what was tried
        self.acked = []  # texts
        self.chat = None
        self.quit = False
        self.problem = None
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        try:
            while not self.quit:
                self._message(self.chat is None or self.random.random() < 0.2)
                while not self.quit and self.random.random() < 0.3:
                    self._message(False)  # it waits for the end of the answer
                self._follow()
        except Exception as problem:  # pylint: disable=broad-except
            self.problem = problem

    def _message(self, is_first):
        text = f"[long {self.random.randint(3, 120)}] {self.number}.{len(self.sent)}"
        self.sent[text] = f"{text} of {self.number}"
        path = "/chat" if is_first or self.chat is None else f"{self.chat}/messages"
        while not self.quit:
            answer = self.place.request("POST", path, {"message": text, "client_id": self.sent[text]})
            if answer is None:
                time.sleep(0.02)
                if path == "/chat":
                    return  # it has no conversation yet, where the same client_id would be the same message
                continue
            status, headers, body = answer
            if status in (303, 200):
                self.chat = headers["location"].split("?")[0]
                self.acked.append(text)
                return
            assert status in (429, 503), (status, body)
            time.sleep(0.05)

    def _follow(self):
        """Until everything is answered; the words that an answer shows never go back."""
        words, last = 0, None
        while not self.quit and self.chat:
            page = self.place.request("GET", self.chat)
            if page is None:
                time.sleep(0.02)
                continue
            assert page[0] == 200, page
            answer, _ = running_answer(page[2])
            if answer is not None:
                shown = len(re.findall(r"\bword\d+\b", page[2].split(f'id="m-{answer}"')[1]))
                assert answer != last or shown >= words, (shown, words)
                words, last = shown, answer
            if not is_busy(page[2]):
                return
            time.sleep(0.02)


def is_busy(page):
    return running_answer(page)[1] or '<form class="withdraw"' in page


def expected(question):
    return " ".join(f"word{i}" for i in range(1, int(MESSAGE.match(question).group(1)) + 1))


def look(path, clients):
    """What the files of the dead process hold. Returns how many answers are not at their end, or not begun."""
    database = sqlite3.connect(path)
    assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert database.execute("PRAGMA foreign_key_check").fetchall() == []
    rows = database.execute("SELECT seq, id, parent, role, state, text FROM message ORDER BY seq").fetchall()
    waiting = [row[0] for row in database.execute("SELECT text FROM waiting_message")]
    pieces = database.execute("SELECT message, group_concat(text, '') FROM (SELECT * FROM answer_piece ORDER BY seq) "
                              "GROUP BY message").fetchall()
    database.close()
    pieces = dict(pieces)
    questions = {row[1]: row[5] for row in rows if row[3] == "user"}
    kept = list(questions.values())
    assert len(kept) == len(set(kept)), "a message is there twice"
    for client in clients:
        assert client.problem is None, client.problem
        lost = set(client.acked) - set(kept) - set(waiting)
        assert not lost, lost
        assert set(t for t in kept if MESSAGE.match(t).group(2).startswith(f"{client.number}.")) <= set(client.sent)
    answered = [row[2] for row in rows if row[3] == "assistant"]
    assert sorted(answered) == sorted(questions), "every question has one answer"
    assert len(waiting) == len(set(waiting)), "a message waits twice"
    unfinished = len(set(waiting) - set(kept))
    for seq, _, parent, role, state, text in rows:
        if role != "assistant":
            continue
        whole = expected(questions[parent])
        text += pieces.get(seq, "")
        assert whole.startswith(text), (state, text[-60:], whole[-60:])
        assert state in ("running", "complete", "interrupted"), state
        assert state != "complete" or text == whole
        unfinished += state == "running"
    return unfinished


def test_kill_9_at_random_moments(start_server, tmp_path):
    rng = random.Random(f"kills {ROUNDS}")
    data = tmp_path / "shared"
    place = Place(0)
    clients = []
    cut = 0
    for _ in range(ROUNDS):
        server = start_server(*STUB, data_dir=data)
        place.port = server.port
        clients = clients or [Client(place, number) for number in range(CLIENTS)]
        time.sleep(rng.uniform(0.05, 1.2))
        server.process.kill()
        server.process.wait(10)
        cut += look(data / "notso.db", clients)
    assert cut > ROUNDS, "most kills cut some answers"
    for client in clients:
        client.quit = True
    server = start_server(*STUB, data_dir=data)
    place.port = server.port
    for client in clients:
        client.thread.join(20)
        assert client.problem is None, client.problem
    deadline = time.monotonic() + 60
    while running := [chat for chat in set(c.chat for c in clients) if is_busy(place.request("GET", chat)[2])]:
        assert time.monotonic() < deadline, running
        time.sleep(0.05)
    assert server.stop() == 0
    assert look(data / "notso.db", clients) == 0, "whatever was cut has ended"
    print(f"{ROUNDS} kills, {sum(len(c.acked) for c in clients)} messages acknowledged, {cut} answers cut")
