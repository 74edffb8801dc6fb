// Files of messages, from the composer into the prompt. One token per character (FakeBackend), so
// every sum below can be checked by hand.
#include "services/chat/message_files.hpp"

#include <gmock/gmock.h>

#include "base/random.hpp"
#include "services/chat/chat_fixture.hpp"
#include "services/chat/context_window.hpp"
#include "services/chat/stored_shelf.hpp"

namespace notso::services {
namespace {

using ::testing::HasSubstr;

AttachedFile file_of(std::string name, std::string text) {
    AttachedFile file;
    file.id = {random_id()};
    file.name = std::move(name);
    file.bytes = file.text_bytes = std::ssize(text);
    file.text_is_file = true;
    file.text = std::move(text);
    return file;
}

Message message_with(std::vector<AttachedFile> files) {
    return {.id = {"m"}, .conversation = {"c"}, .text = "What is it?", .files = std::move(files)};
}

TEST(MessageFiles, StandBeforeTheTextAndAreNamed) {
    EXPECT_EQ(prompt_text(message_with({file_of("a.txt", "one"), file_of("b\"c", "two")})),
              "[File \"a.txt\"]\none\n[End of \"a.txt\"]\n\n[File \"b'c\"]\ntwo\n[End of "
              "\"b'c\"]\n\nWhat is it?");
    EXPECT_EQ(prompt_text(message_with({})), "What is it?");
    AttachedFile cut = file_of("a.txt", "0123456789");
    cut.prompt_bytes = 4;
    cut.text = "0123";
    EXPECT_THAT(prompt_text(message_with({cut})),
                HasSubstr("[File \"a.txt\": the first 4 of 10 bytes; read_document gives the "
                          "rest]\n0123\n"));
    EXPECT_EQ(names_of_files(message_with({cut, cut})), " [a.txt, a.txt]");
}

TEST(MessageFiles, AreCountedHoweverLongTheyAre) {
    const Message message = message_with({file_of("a.txt", std::string(1000, 'x'))});
    EXPECT_GE(prompt_size(message), prompt_text(message).size());
    EXPECT_EQ(unread_bytes(message), 0U);
    AttachedFile large = file_of("a.txt", std::string(100, 'x'));
    large.text_bytes = 20'000'000;
    EXPECT_EQ(unread_bytes(message_with({large})), 20'000'000U - 100);
}

TEST(MessageFiles, AtMostTenAndNoneTwice) {
    std::vector<AttachmentUse> uses;
    for (std::size_t i = 0; i < kMaxAttachments; ++i) uses.push_back({{std::to_string(i)}});
    EXPECT_TRUE(check_uses(uses));
    uses.push_back({{"11"}});
    EXPECT_THAT(check_uses(uses).error().detail, HasSubstr("at most 10 files, not 11"));
    EXPECT_FALSE(check_uses({{{"1"}}, {{"1"}}}));
}

/// What a model gets that can read 1,000 tokens, 250 of them for the answer.
class FileFit : public testing::Test {
  protected:
    std::string refusal() {
        const auto fits = fit_files(backend_, source_);
        return fits ? "fits" : fits.error().detail;
    }
    void offer_read_document() {
        source_.tools = {{{"type", "function"}, {"function", {{"name", "read_document"}}}}};
    }

    FakeBackend backend_;
    PromptSource source_ = {.conversation = {.id = {"c"}, .title = ""},
                            .messages = {message_with({file_of("a.txt", std::string(600, 'x'))})}};
};

TEST_F(FileFit, WhatFitsStaysWhole) {
    offer_read_document();
    EXPECT_EQ(refusal(), "fits");
    EXPECT_EQ(source_.messages[0].files[0].prompt_bytes, std::nullopt);
}

TEST_F(FileFit, WhatDoesNotIsRefusedWithBothNumbers) {
    source_.messages[0].files[0] = file_of("a.txt", std::string(5000, 'x'));
    EXPECT_EQ(refusal(),
              fmt::format("This message takes {} tokens with its files, and the model can read at "
                          "most 936 at once: shorten it, or send it in parts.",
                          prompt_text(source_.messages[0]).size()));
    source_.messages[0].files[0].text_bytes = 50'000;
    EXPECT_THAT(refusal(), HasSubstr("This message takes about 49"));
    backend_.context_length = 0;
    EXPECT_THAT(refusal(), HasSubstr("more than any model can read"));
}

TEST_F(FileFit, TheBeginningsGoInWhereTheRestCanBeRead) {
    offer_read_document();
    source_.messages[0].files = {file_of("a.txt", std::string(5000, 'x')),
                                 file_of("b.txt", "short"),
                                 file_of("c.txt", std::string(20'000, 'z'))};
    EXPECT_EQ(refusal(), "fits");
    const auto& files = source_.messages[0].files;
    EXPECT_GT(*files[0].prompt_bytes, 100);
    EXPECT_EQ(files[0].prompt_bytes, std::ssize(files[0].text));
    EXPECT_EQ(files[1].prompt_bytes, std::nullopt) << "short ones stay whole";
    EXPECT_EQ(files[2].prompt_bytes, files[0].prompt_bytes);
    EXPECT_TRUE(check_newest_fits(backend_, source_));
}

TEST_F(FileFit, ATextThatIsTooLongByItselfIsRefusedAllTheSame) {
    offer_read_document();
    source_.messages[0].text = std::string(2000, 'q');
    EXPECT_THAT(refusal(), HasSubstr("with its files, the system prompt and the tools"));
}

TEST_F(FileFit, ACutNeverSplitsACharacter) {
    offer_read_document();
    std::string wide;
    for (int i = 0; i < 3000; ++i) wide += "日";
    source_.messages[0].files = {file_of("a.txt", wide)};
    EXPECT_EQ(refusal(), "fits");
    EXPECT_EQ(*source_.messages[0].files[0].prompt_bytes % 3, 0);
}

class FileTurn : public ChatFixture {
  protected:
    /// A finished file in a composer.
    AttachmentUse attach(const ConversationKey& composer, std::string name, std::string text) {
        AttachedFile file = file_of(std::move(name), std::move(text));
        const std::string bytes = std::exchange(file.text, {});
        EXPECT_TRUE(store_->begin_attachment(composer, file));
        EXPECT_TRUE(store_->append_attachment(file.id, AttachmentPart::kFile, bytes));
        EXPECT_TRUE(store_->finish_attachment(file.id));
        return {file.id};
    }
    Result<SentMessage> send_with(const Conversation& conversation,
                                  std::string text,
                                  std::vector<AttachmentUse> files) {
        return send({.conversation = conversation.key(),
                     .text = std::move(text),
                     .may_wait = true,
                     .files = std::move(files)});
    }
    std::string prompt(std::size_t call, std::size_t message = 0) {
        return backend_.call(call)->request.messages.at(message).content;
    }
    std::vector<std::string> names(const Message& message) {
        std::vector<std::string> names;
        for (const AttachedFile& file : message.files) names.push_back(file.name);
        return names;
    }
};

using Names = std::vector<std::string>;

TEST_F(FileTurn, TheModelReadsThemWithTheMessageAndEverAfter) {
    const Conversation conversation = new_conversation();
    const auto use = attach({kOwner, {}}, "a.txt", "the content");
    const auto sent = send_with(conversation, "What is it?", {use});
    ASSERT_TRUE(sent) << sent.error().detail;
    EXPECT_EQ(names(sent->user), Names{"a.txt"});
    const std::string expected = "[File \"a.txt\"]\nthe content\n[End of \"a.txt\"]\n\nWhat is it?";
    EXPECT_EQ(prompt(0), expected);
    backend_.emit(backend_.call(0), {chat_event::Text{"A text."}, chat_event::End{}});
    wait_end(sent->feed);
    ask(conversation.id, "And?", "Nothing more.", 1);
    EXPECT_EQ(prompt(1), expected);
    EXPECT_EQ(names(open(conversation.id)->messages.at(0)), Names{"a.txt"});
    EXPECT_EQ(open(conversation.id)->conversation.title, "What is it?");
    const auto ledger = await<ContextLedger>(
        [&](auto done) { chat_->context(conversation.key(), std::move(done)); });
    EXPECT_EQ(ledger->rows.at(0).text, "What is it? [a.txt]");
    EXPECT_GT(ledger->rows.at(0).tokens, std::ssize(expected) - 5);
}

TEST_F(FileTurn, AnotherAnswerAndAnEditReadThemToo) {
    const Conversation conversation = new_conversation();
    const auto kept = attach(conversation.key(), "kept.txt", "K");
    const auto removed = attach(conversation.key(), "removed.txt", "R");
    const auto sent = send_with(conversation, "one", {kept, removed});
    backend_.emit(backend_.call(0), {chat_event::Text{"x"}, chat_event::End{}});
    wait_end(sent->feed);
    const auto again = await<SentMessage>([&](auto done) {
        chat_->regenerate({.conversation = conversation.key(),
                           .question = sent->user.id,
                           .answer = sent->answer.id},
                          std::move(done));
    });
    EXPECT_EQ(prompt(1), prompt(0));
    backend_.emit(backend_.call(1), {chat_event::Text{"y"}, chat_event::End{}});
    wait_end(again->feed);
    const auto edited = send({.conversation = conversation.key(),
                              .text = "two",
                              .edits = sent->user.id,
                              .files = {kept}});
    ASSERT_TRUE(edited) << edited.error().detail;
    EXPECT_EQ(prompt(2), "[File \"kept.txt\"]\nK\n[End of \"kept.txt\"]\n\ntwo");
    backend_.emit(backend_.call(2), {chat_event::Text{"z"}, chat_event::End{}});
    wait_end(edited->feed);
    ASSERT_TRUE(await<void>([&](auto done) {
        chat_->remove_message(conversation.key(), sent->user.id, std::move(done));
    }));
    EXPECT_TRUE(store_->attachment(conversation.key(), kept.id)) << "the edited one has it";
    EXPECT_FALSE(store_->attachment(conversation.key(), removed.id));
}

TEST_F(FileTurn, AMessageThatWaitsKeepsThem) {
    const Conversation conversation = new_conversation();
    const auto first = send(conversation.id, "first");
    const auto use = attach(conversation.key(), "a.txt", "later");
    const auto waits = send_with(conversation, "second", {use});
    ASSERT_TRUE(waits && waits->waits) << waits.error().detail;
    EXPECT_EQ(open(conversation.id)->waiting.at(0).files, std::vector{use});
    backend_.emit(backend_.call(0), {chat_event::Text{"x"}, chat_event::End{}});
    loop_.run_until([&] { return backend_.n_calls() == 2; });
    EXPECT_THAT(backend_.call(1)->request.messages.back().content, HasSubstr("later"));
}

TEST_F(FileTurn, WhatCantBeSentIsNotStored) {
    const Conversation conversation = new_conversation();
    const auto gone = send_with(conversation, "one", {{{random_id()}}});
    EXPECT_EQ(gone.error().code, ErrorCode::kNotFound);
    const auto use = attach(conversation.key(), "a.txt", std::string(5000, 'x'));
    const auto too_long = send_with(conversation, "one", {use});
    EXPECT_EQ(too_long.error().code, ErrorCode::kContextLength);
    EXPECT_THAT(too_long.error().detail, HasSubstr("with its files"));
    EXPECT_FALSE(send_with(conversation, "one", {use, use}));
    EXPECT_TRUE(open(conversation.id)->messages.empty());
    EXPECT_EQ(store_->composer_files(conversation.key())->size(), 1U)
        << "they stay in the composer";
}

TEST_F(FileTurn, ADraftIsReadAheadWithThem) {
    background_ = true;
    restart();
    const Conversation conversation = new_conversation();
    const auto use = attach(conversation.key(), "a.txt", "content");
    ASSERT_TRUE(await<void>([&](auto done) {
        chat_->read_draft({.conversation = conversation.key(), .text = "What is", .files = {use}},
                          std::move(done));
    }));
    EXPECT_TRUE(backend_.call(0)->request.read_only);
    EXPECT_EQ(prompt(0), "[File \"a.txt\"]\ncontent\n[End of \"a.txt\"]\n\nWhat is");
}

TEST_F(FileTurn, ToolsReadTheTextsOfWhatIsShown) {
    const Conversation conversation = new_conversation();
    const auto old = attach(conversation.key(), "same.txt", "old");
    const auto sent = send_with(conversation, "one", {old});
    backend_.emit(backend_.call(0), {chat_event::Text{"x"}, chat_event::End{}});
    wait_end(sent->feed);
    const auto newer = attach(conversation.key(), "same.txt", "new");
    send_with(conversation, "two", {newer});
    attach(conversation.key(), "unsent.txt", "unsent");
    StoredShelf shelf(StoreClient(*store_, *database_, loop_), conversation.key());
    const auto files = shelf.list();
    ASSERT_TRUE(files);
    ASSERT_EQ(files->size(), 2U);
    EXPECT_EQ(*shelf.text(files->at(0), {}), "new") << "the newest of that name";
    EXPECT_FALSE(shelf.text({.name = "unsent.txt", .media_type = {}, .path = {}}, {}));
    StoredShelf foreign(StoreClient(*store_, *database_, loop_), {{"bert"}, conversation.id});
    EXPECT_FALSE(foreign.list());
}

}  // namespace
}  // namespace notso::services
