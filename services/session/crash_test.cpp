// kill -9 in the middle of writing: what was acknowledged is there once and byte-equal, and the
// file is whole. A child process writes and reports each acknowledged write through a pipe; the
// parent kills it and looks.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <map>
#include <random>

#include "base/random.hpp"
#include "services/session/data_directory.hpp"
#include "services/session/temp_directory.hpp"

namespace notso::services {
namespace {

constexpr int kRounds = 6;

struct Ack {
    int turn;
    int pieces;  // -1: the final text
};

const ConversationId kConversation{"conversation"};

std::string question(int turn) {
    return "question " + std::to_string(turn) + std::string(300, 'q');
}
std::string piece(int turn, int n) {
    return "<" + std::to_string(turn) + "." + std::to_string(n) + ">";
}
std::string text_of(int turn, int pieces) {
    std::string text;
    for (int n = 0; n < pieces; ++n) text += piece(turn, n);
    return text;
}
MessageId answer_id(int turn) { return {"answer" + std::to_string(turn)}; }

bool acknowledge(int pipe, const Ack& ack) { return write(pipe, &ack, sizeof ack) == sizeof ack; }

bool write_turn(SessionStore& store, int pipe, int turn) {
    const Message user{.id = {"user" + std::to_string(turn)},
                       .conversation = kConversation,
                       .text = question(turn)};
    Message answer{.id = answer_id(turn),
                   .conversation = kConversation,
                   .role = MessageRole::kAssistant,
                   .state = MessageState::kRunning,
                   .text = ""};
    if (!store.append_messages(local_owner(), {user, answer}) || !acknowledge(pipe, {turn, 0}))
        return false;
    constexpr int kPieces = 20;
    for (int n = 0; n < kPieces; ++n) {
        if (!store.append_text(answer.id, {.text = piece(turn, n)}) ||
            !acknowledge(pipe, {turn, n + 1}))
            return false;
    }
    answer.state = MessageState::kComplete;
    answer.text = text_of(turn, kPieces);
    return store.update_message(answer) && acknowledge(pipe, {turn, -1});
}

bool mark_running_interrupted(SessionStore& store) {
    const auto running = store.running_messages();
    if (!running) return false;
    for (const RunningAnswer& left : *running) {
        Message message = left.message;
        message.state = MessageState::kInterrupted;
        if (!store.update_message(message)) return false;
    }
    return true;
}

[[noreturn]] void write_for_ever(const std::filesystem::path& path, int pipe, int first_turn) {
    const auto directory = DataDirectory::open(path);
    if (!directory) _exit(1);
    auto store = directory->open_store();
    if (!store || !mark_running_interrupted(**store)) _exit(2);
    const Conversation conversation{.id = kConversation, .title = "", .owner = local_owner()};
    if (first_turn == 0 && !(*store)->create_conversation(conversation)) _exit(3);
    for (int turn = first_turn; write_turn(**store, pipe, turn); ++turn) {
    }
    _exit(4);
}

// Lets a child write until `n_acks` came, kills it, and returns all that it acknowledged.
std::vector<Ack> write_and_kill(const std::filesystem::path& path,
                                int first_turn,
                                std::size_t n_acks) {
    std::array<int, 2> ends{};
    EXPECT_EQ(pipe(ends.data()), 0);
    const pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        write_for_ever(path, ends[1], first_turn);
    }
    close(ends[1]);
    std::vector<Ack> acks;
    Ack ack{};
    while (read(ends[0], &ack, sizeof ack) == sizeof ack) {
        acks.push_back(ack);
        if (acks.size() == n_acks) kill(child, SIGKILL);
    }
    close(ends[0]);
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFSIGNALED(status)) << "the child failed by itself: " << WEXITSTATUS(status);
    return acks;
}

void expect_kept(SessionStore& store, const std::vector<Ack>& ledger) {
    const auto messages = store.messages({local_owner(), kConversation});
    ASSERT_TRUE(messages) << messages.error().detail;
    std::map<std::string, Message> by_id;
    for (const Message& message : *messages) {
        EXPECT_TRUE(by_id.emplace(message.id.value, message).second)
            << "twice: " << message.id.value;
    }
    for (const Ack& ack : ledger) {
        ASSERT_TRUE(by_id.contains("user" + std::to_string(ack.turn))) << ack.turn;
        EXPECT_EQ(by_id["user" + std::to_string(ack.turn)].text, question(ack.turn));
        const Message& answer = by_id[answer_id(ack.turn).value];
        const std::string shown = text_of(ack.turn, ack.pieces < 0 ? 20 : ack.pieces);
        EXPECT_TRUE(answer.text.starts_with(shown)) << ack.turn << ": " << answer.text;
        EXPECT_TRUE(text_of(ack.turn, 20).starts_with(answer.text)) << "nothing twice";
        if (ack.pieces >= 0) continue;
        EXPECT_EQ(answer.state, MessageState::kComplete);
    }
}

TEST(Crash, KillingTheWriterLosesNothingAcknowledged) {
    const TempDirectory temp;
    std::mt19937 random(20261123);
    std::vector<Ack> ledger;
    int next_turn = 0;
    for (int round = 0; round < kRounds; ++round) {
        const std::size_t n_acks = 1 + random() % 60;
        const auto acks = write_and_kill(temp.path(), next_turn, n_acks);
        ASSERT_GE(acks.size(), n_acks);
        ledger.insert(ledger.end(), acks.begin(), acks.end());
        next_turn = ledger.back().turn +
                    2;  // the last one may have been stored without its acknowledgement

        const auto directory = DataDirectory::open(temp.path());
        ASSERT_TRUE(directory) << directory.error().detail;
        const auto store = directory->open_store();
        ASSERT_TRUE(store) << store.error().detail;
        const auto whole = (*store)->check_integrity();
        EXPECT_TRUE(whole) << whole.error().detail;
        expect_kept(**store, ledger);
    }
}

}  // namespace
}  // namespace notso::services
