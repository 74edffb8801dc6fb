// The tool box: what reaches a tool, what comes back, and that every call is answered once.
#include "services/tools/tool_box.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <semaphore>

#include "base/utf8.hpp"

namespace notso::services {
namespace {

namespace json = boost::json;
using std::chrono::milliseconds;
using ::testing::HasSubstr;

/// Does what a test says.
class FakeTool final : public Tool {
  public:
    using Body = std::function<Result<ToolOutput>(const json::object&, const ToolContext&)>;
    FakeTool(std::string name, Body body, milliseconds timeout = milliseconds{10'000})
        : body_(std::move(body)) {
        info_.name = std::move(name);
        info_.title = "Fake";
        info_.description = "A fake.";
        info_.timeout = timeout;
        info_.parameters = json::parse(R"({"type":"object","properties":{
            "text":{"type":"string"},"count":{"type":"integer","minimum":1}},
            "required":["text"],"additionalProperties":false})")
                               .as_object();
    }
    const ToolInfo& info() const override { return info_; }
    Result<ToolOutput> run(const json::object& arguments,
                           const ToolContext& context) const override {
        return body_(arguments, context);
    }

  private:
    ToolInfo info_;
    Body body_;
};

ToolPtr echo() {
    return std::make_shared<FakeTool>(
        "echo", [](const json::object& arguments, const ToolContext&) {
            return ToolOutput{.text = std::string(arguments.at("text").as_string())};
        });
}

/// Waits for its stop token, then (at most) for `release`.
struct Stubborn {
    std::binary_semaphore began{0};
    std::binary_semaphore release{0};

    ToolPtr tool(milliseconds timeout, bool obeys) {
        return std::make_shared<FakeTool>(
            "stubborn",
            [this, obeys](const json::object&, const ToolContext& context) {
                began.release();
                std::binary_semaphore stopped{0};
                const std::stop_callback wake(context.stop, [&] { stopped.release(); });
                obeys ? stopped.acquire() : release.acquire();
                return ToolOutput{.text = "late"};
            },
            timeout);
    }
};

ToolOutput started(ToolBox& box, ToolCall call, ToolContext context = {}) {
    std::promise<ToolOutput> answer;
    box.start(std::move(call), std::move(context), [&](ToolOutput output) {
        answer.set_value(std::move(output));
    });
    return answer.get_future().get();
}

constexpr const char* kText = R"({"text":"hi"})";

TEST(ToolBoxTest, RunsACallOnAThreadOfItsOwn) {
    std::thread::id ran_on;
    ToolBox box({std::make_shared<FakeTool>("where", [&](const json::object&, const ToolContext&) {
        ran_on = std::this_thread::get_id();
        return ToolOutput{.text = "here"};
    })});
    EXPECT_EQ(started(box, {"where", kText}), (ToolOutput{"here", false}));
    EXPECT_TRUE(ran_on != std::thread::id());
    EXPECT_TRUE(ran_on != std::this_thread::get_id());
}

TEST(ToolBoxTest, ListsToolsAsTheApiHasThem) {
    class Source final : public ToolSource {
        std::vector<ToolPtr> tools() const override { return {echo(), other_}; }
        ToolPtr other_ = std::make_shared<FakeTool>("other", nullptr);
    };
    const ToolPtr first = echo();
    const ToolBox box({first}, {std::make_shared<Source>()});
    EXPECT_EQ(box.list().size(), 2U);  // the second echo is hidden
    EXPECT_EQ(box.find("echo"), first);
    EXPECT_EQ(box.find("nothing"), nullptr);
    const json::array all = box.openai_tools();
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all[0].at("type"), "function");
    EXPECT_EQ(all[0].at("function").at("name"), "echo");
    EXPECT_EQ(all[0].at("function").at("parameters"), json::value(first->info().parameters));
    const std::vector<std::string> chosen = {"other", "nothing"};
    EXPECT_EQ(box.openai_tools(chosen).size(), 1U);
}

TEST(ToolBoxTest, SaysWhatIsWrongWithACall) {
    ToolBox box({echo()});
    const auto refused = [&](ToolCall call, std::string_view why) {
        const ToolOutput output = started(box, std::move(call));
        EXPECT_TRUE(output.is_error);
        EXPECT_THAT(output.text, HasSubstr(std::string(why)));
    };
    refused({"ecko", kText}, "no tool named \"ecko\"; there are: echo");
    refused({"echo", "{"}, "not JSON");
    refused({"echo", "[1]"}, "an array; write one JSON object");
    refused({"echo", ""}, "argument \"text\" is missing");
    refused({"echo", R"({"text":3})"}, "argument \"text\" is a number; it must be of type string");
    refused({"echo", R"({"text":"a","x":1})"},
            "argument \"x\" is not known; known arguments: text");
    refused({"echo", R"({"text":"a","count":0})"}, "argument \"count\" must be 1 or more");
    refused({"echo", R"({"text":"a","count":1.5})"}, "must be of type integer");
    refused({"echo", R"({"text":")" + std::string(70'000, 'a') + "\"}"}, "more than 65536");
    refused({"echo", std::string(10'000, '[')}, "not JSON");
}

TEST(ToolBoxTest, AFailureIsAnAnswer) {
    ToolBox box({std::make_shared<FakeTool>("fails",
                                            [](const json::object&, const ToolContext&) {
                                                return fail(ErrorCode::kIo, "no disk");
                                            }),
                 std::make_shared<FakeTool>(
                     "throws", [](const json::object&, const ToolContext&) -> Result<ToolOutput> {
                         throw std::bad_alloc();
                     })});
    EXPECT_EQ(started(box, {"fails", kText}), (ToolOutput{"fails: no disk", true}));
    EXPECT_TRUE(started(box, {"throws", kText}).is_error);
    EXPECT_EQ(box.run({"fails", kText}, {}), (ToolOutput{"fails: no disk", true}));
}

TEST(ToolBoxTest, CapsAndRepairsTheOutput) {
    ToolLimits limits;
    limits.max_output_bytes = 100;
    ToolBox box({std::make_shared<FakeTool>("long",
                                            [](const json::object&, const ToolContext&) {
                                                std::string text;
                                                while (text.size() < 300) text += "ä";
                                                return ToolOutput{.text = text};
                                            }),
                 std::make_shared<FakeTool>("broken",
                                            [](const json::object&, const ToolContext&) {
                                                return ToolOutput{.text =
                                                                      "a\xff"
                                                                      "b"};
                                            })},
                {},
                limits);
    const ToolOutput output = started(box, {"long", kText});
    EXPECT_LE(output.text.size(), 100U);
    EXPECT_GT(output.text.size(), 90U);
    EXPECT_TRUE(is_valid_utf8(output.text));
    EXPECT_THAT(output.text, HasSubstr("[cut: the output has 300 bytes"));
    EXPECT_EQ(started(box, {"broken", kText}).text,
              "a\uFFFD"
              "b");
}

TEST(ToolBoxTest, EndsAToolWhoseTimeIsUp) {
    Stubborn stubborn;
    ToolBox box({stubborn.tool(milliseconds{30}, true)});
    const ToolOutput output = started(box, {"stubborn", kText});
    // What a tool still says after its time counts: it may be partial.
    EXPECT_EQ(output, (ToolOutput{"late", false}));
}

TEST(ToolBoxTest, AnswersForAToolThatNeverReturns) {
    Stubborn stubborn;
    ToolLimits limits;
    limits.grace = milliseconds{20};
    ToolBox box({stubborn.tool(milliseconds{30}, false)}, {}, limits);
    const ToolOutput output = started(box, {"stubborn", kText});
    EXPECT_TRUE(output.is_error);
    EXPECT_THAT(output.text, HasSubstr("not ready within 0.03 s"));
    stubborn.release.release();
}

TEST(ToolBoxTest, ACancelledCallIsAnsweredAtOnce) {
    Stubborn stubborn;
    ToolBox box({stubborn.tool(milliseconds{60'000}, false)});
    std::stop_source stop;
    std::promise<ToolOutput> answer;
    ToolContext context;
    context.stop = stop.get_token();
    box.start({"stubborn", kText}, context, [&](ToolOutput o) { answer.set_value(std::move(o)); });
    stubborn.began.acquire();
    stop.request_stop();
    EXPECT_EQ(answer.get_future().get(), (ToolOutput{"the call was cancelled", true}));
    // Stopped before it began: the tool does not run at all.
    EXPECT_EQ(started(box, {"stubborn", kText}, context).text, "the call was cancelled");
    EXPECT_FALSE(stubborn.began.try_acquire());
    stubborn.release.release();
}

TEST(ToolBoxTest, RefusesWhatItHasNoRoomFor) {
    Stubborn stubborn;
    ToolLimits limits;
    limits.max_threads = 1;
    limits.max_waiting = 1;
    ToolBox box({stubborn.tool(milliseconds{60'000}, false), echo()}, {}, limits);
    std::promise<ToolOutput> first;
    std::promise<ToolOutput> second;
    box.start({"stubborn", kText}, {}, [&](ToolOutput o) { first.set_value(std::move(o)); });
    stubborn.began.acquire();
    box.start({"echo", kText}, {}, [&](ToolOutput o) { second.set_value(std::move(o)); });
    const ToolOutput third = started(box, {"echo", kText});
    EXPECT_TRUE(third.is_error);
    EXPECT_THAT(third.text, HasSubstr("too many tools"));
    stubborn.release.release();
    EXPECT_EQ(first.get_future().get().text, "late");
    EXPECT_EQ(second.get_future().get().text, "hi");
}

TEST(ToolBoxTest, AnswersEverythingWhenItGoes) {
    Stubborn stubborn;
    std::atomic<int> answers = 0;
    {
        ToolLimits limits;
        limits.max_threads = 1;
        ToolBox box({stubborn.tool(milliseconds{60'000}, true)}, {}, limits);
        for (int i = 0; i < 3; ++i)
            box.start({"stubborn", kText}, {}, [&](ToolOutput) { ++answers; });
        stubborn.began.acquire();
    }
    EXPECT_EQ(answers, 3);
}

TEST(ToolBoxTest, ProgressReachesTheCaller) {
    ToolBox box({std::make_shared<FakeTool>("slow", [](const json::object&, const ToolContext& c) {
        c.on_progress({.done = 1, .total = 2, .text = "half"});
        return ToolOutput{.text = "done"};
    })});
    std::string seen;
    ToolContext context;
    context.on_progress = [&](const ToolProgress& progress) { seen = progress.text; };
    started(box, {"slow", kText}, context);
    EXPECT_EQ(seen, "half");
}

TEST(ToolBoxTest, ChecksNestedArguments) {
    const json::object schema = json::parse(R"({"type":"object","properties":{
        "list":{"type":"array","maxItems":2,"items":{"type":"object","required":["a"],
                "properties":{"a":{"enum":["x","y"]}},"additionalProperties":false}},
        "either":{"type":["string","null"],"maxLength":2},
        "bomb":{"$ref":"#/bomb"}}})")
                                    .as_object();
    class AnySchema final : public Tool {
      public:
        explicit AnySchema(json::object schema) {
            info_.parameters = std::move(schema);
            info_.name = "any";
        }
        const ToolInfo& info() const override { return info_; }
        Result<ToolOutput> run(const json::object&, const ToolContext&) const override {
            return ToolOutput{};
        }
        ToolInfo info_;
    };
    const ToolBox box({std::make_shared<AnySchema>(schema)});
    const auto error = [&](std::string arguments) {
        const auto checked = box.check({"any", std::move(arguments)});
        return checked ? std::string() : checked.error().detail;
    };
    EXPECT_EQ(error(R"({"list":[{"a":"x"}],"either":null,"bomb":7,"new":1})"), "");
    EXPECT_THAT(error(R"({"list":[{}]})"),
                HasSubstr("\"a\" in item 1 of argument \"list\" is missing"));
    EXPECT_THAT(error(R"({"list":[{"a":"z"}]})"), HasSubstr("must be one of [\"x\",\"y\"]"));
    EXPECT_THAT(error(R"({"list":[{"a":"x","b":1}]})"), HasSubstr("is not known"));
    EXPECT_THAT(error(R"({"list":[1,2,3]})"), HasSubstr("2 items or less"));
    EXPECT_THAT(error(R"({"either":4})"), HasSubstr("string or null"));
    EXPECT_EQ(error(R"({"either":"öä"})"), "");
    EXPECT_THAT(error(R"({"either":"öäü"})"), HasSubstr("2 characters or less"));
}

}  // namespace
}  // namespace notso::services
